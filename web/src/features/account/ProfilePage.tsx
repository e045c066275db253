import { Button, Select, TextInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { ProfileDocument } from '@/api/generated'
import { profileQuery } from '@/features/auth'
import { Facts, Panel, Pill, Reading, Refused, RelativeTime } from '@/ui'
import { TimeZone } from '@/ui/TimeZone'
import css from './parts/account.module.css'
import { useUpdateProfile } from './queries'

interface ProfilePageProps {
  /** Codes of the languages that the console has. */
  languages: readonly string[]
  onLanguage: (code: string) => void
}

export function ProfilePage(props: ProfilePageProps) {
  const { t } = useTranslation()
  const profile = useQuery(profileQuery)
  return (
    <div className={css.columns}>
      <Panel title={t('account.profile')}>
        <Reading query={profile}>{(data) => <ProfileForm {...props} profile={data} />}</Reading>
      </Panel>
      <Panel title={t('account.inOrganization')}>
        <Reading query={profile}>
          {(data) => (
            <Facts
              rows={[
                [t('account.role'), <Pill key="role">{t(`roles.${data.role}.name`)}</Pill>],
                [t('account.email'), data.email],
                [
                  t('account.emailState'),
                  t(data.email_verified ? 'account.verified' : 'account.notVerified'),
                ],
                [t('account.since'), <RelativeTime key="since" iso={data.created_at} />],
              ]}
            />
          )}
        </Reading>
      </Panel>
    </div>
  )
}

function ProfileForm({
  profile,
  languages,
  onLanguage,
}: ProfilePageProps & { profile: ProfileDocument }) {
  const { t, i18n } = useTranslation()
  const [firstName, setFirstName] = useState(profile.first_name)
  const [lastName, setLastName] = useState(profile.last_name)
  const [timezone, setTimezone] = useState(profile.timezone)
  const [language, setLanguage] = useState(i18n.language)
  const update = useUpdateProfile()
  return (
    <form
      className={css.form}
      onSubmit={(event) => {
        event.preventDefault()
        update.mutate(
          {
            first_name: firstName.trim(),
            last_name: lastName.trim(),
            locale: language,
            timezone,
          },
          {
            onSuccess: () => {
              onLanguage(language)
              notifications.show({ message: t('ui.saved'), color: 'moss' })
            },
          },
        )
      }}
    >
      <TextInput
        label={t('auth.firstName')}
        autoComplete="given-name"
        value={firstName}
        onChange={(event) => setFirstName(event.currentTarget.value)}
        maxLength={100}
        required
        withAsterisk={false}
      />
      <TextInput
        label={t('auth.lastName')}
        autoComplete="family-name"
        value={lastName}
        onChange={(event) => setLastName(event.currentTarget.value)}
        maxLength={100}
        required
        withAsterisk={false}
      />
      <Select
        label={t('profile.language')}
        data={languages.map((code) => ({
          value: code,
          label: new Intl.DisplayNames([code], { type: 'language' }).of(code) ?? code,
        }))}
        value={language}
        onChange={(code) => code && setLanguage(code)}
        allowDeselect={false}
      />
      <TimeZone label={t('account.timezone')} value={timezone} onValue={setTimezone} />
      {update.isError && <Refused error={update.error} />}
      <div>
        <Button type="submit" loading={update.isPending}>
          {t('ui.save')}
        </Button>
      </div>
    </form>
  )
}
