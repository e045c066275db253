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
            {(data) => <GeneralForm key={data.etag} organization={data} may={may} />}
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

function GeneralForm({ organization, may }: { organization: Organization; may: boolean }) {
  const { t } = useTranslation()
  const [name, setName] = useState(organization.name)
  const [slug, setSlug] = useState(organization.slug)
  const [timezone, setTimezone] = useState(setting(organization, 'default_timezone') || null)
  const [email, setEmail] = useState(setting(organization, 'notification_email'))
  const update = useUpdateOrganization(organization)
  return (
    <form
      className={css.form}
      onSubmit={(event) => {
        event.preventDefault()
        update.mutate(
          {
            name: name.trim(),
            slug: slug.trim(),
            settings: { default_timezone: timezone, notification_email: email.trim() || null },
          },
          {
            onSuccess: () => notifications.show({ message: t('ui.saved'), color: 'moss' }),
          },
        )
      }}
    >
      <TextInput
        label={t('organization.name')}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        maxLength={120}
        required
        withAsterisk={false}
        readOnly={!may}
      />
      <TextInput
        label={t('organization.slug')}
        description={t('organization.slugHint')}
        value={slug}
        onChange={(event) => setSlug(event.currentTarget.value)}
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
        onValue={setTimezone}
        disabled={!may}
      />
      <TextInput
        label={t('organization.notificationEmail')}
        description={t('organization.notificationEmailHint')}
        type="email"
        value={email}
        onChange={(event) => setEmail(event.currentTarget.value)}
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
