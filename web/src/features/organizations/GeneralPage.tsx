import { Button, TextInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { MayNot, useMay } from '@/features/auth'
import { Panel, Reading, Refused } from '@/ui'
import { TimeZone } from '@/ui/TimeZone'
import { type Organization, setting } from './model'
import { Ending } from './parts/Ending'
import { Exports } from './parts/Exports'
import css from './parts/organizations.module.css'
import { organizationQuery, useOrganizationId, useUpdateOrganization } from './queries'

export function GeneralPage() {
  const { t } = useTranslation()
  const organization = useQuery(organizationQuery(useOrganizationId()))
  const may = useMay('organization:manage') ?? false
  return (
    <>
      <MayNot permission="organization:manage" toDo={t('organization.mayNot')} />
      <div className={css.columns}>
        <Panel title={t('organization.general')}>
          <Reading query={organization}>
            {(data) => <GeneralForm key={data.id} organization={data} may={may} />}
          </Reading>
        </Panel>
        {organization.data && (
          <div className={css.stack}>
            {may && <Exports organizationId={organization.data.id} />}
            <Ending organization={organization.data} />
          </div>
        )}
      </div>
    </>
  )
}

/** What was typed and not saved yet; what is absent was not touched and follows the server. */
interface Typed {
  name?: string
  slug?: string
  timezone?: string | null
  email?: string
}

function GeneralForm({ organization, may }: { organization: Organization; may: boolean }) {
  const { t } = useTranslation()
  const [typed, setTyped] = useState<Typed>({})
  const type = (change: Typed) => setTyped((before) => ({ ...before, ...change }))
  const update = useUpdateOrganization(organization, () => {
    setTyped({})
    notifications.show({ message: t('ui.saved'), color: 'moss' })
  })
  const { name = organization.name, slug = organization.slug } = typed
  const { email = setting(organization, 'notification_email') } = typed
  const { timezone = setting(organization, 'default_timezone') || null } = typed
  return (
    <form
      className={css.form}
      onSubmit={(event) => {
        event.preventDefault()
        update.mutate({
          name: name.trim(),
          slug: slug.trim(),
          settings: { default_timezone: timezone, notification_email: email.trim() || null },
        })
      }}
    >
      <TextInput
        label={t('organization.name')}
        value={name}
        onChange={(event) => type({ name: event.currentTarget.value })}
        maxLength={120}
        required
        withAsterisk={false}
        readOnly={!may}
      />
      <TextInput
        label={t('organization.slug')}
        description={t('organization.slugHint')}
        value={slug}
        onChange={(event) => type({ slug: event.currentTarget.value })}
        pattern="[a-z0-9]([a-z0-9\-]{0,61}[a-z0-9])?"
        maxLength={63}
        required
        withAsterisk={false}
        readOnly={!may}
      />
      <TimeZone
        label={t('organization.timezone')}
        description={t('organization.timezoneHint')}
        value={timezone}
        onValue={(zone) => type({ timezone: zone })}
        disabled={!may}
      />
      <TextInput
        label={t('organization.notificationEmail')}
        description={t('organization.notificationEmailHint')}
        type="email"
        value={email}
        onChange={(event) => type({ email: event.currentTarget.value })}
        maxLength={254}
        readOnly={!may}
      />
      {update.isError && <Refused error={update.error} />}
      {may && (
        <div>
          <Button type="submit" loading={update.isPending}>
            {t('ui.save')}
          </Button>
        </div>
      )}
    </form>
  )
}
