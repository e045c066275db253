import { Button, PasswordInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { NewPassword, profileQuery, useChangePassword } from '@/features/auth'
import { Refused } from '@/ui'
import css from './account.module.css'

/** Replaces the signed-in person's password. */
export function ChangePassword() {
  const { t } = useTranslation()
  const { data: profile } = useQuery(profileQuery)
  const [current, setCurrent] = useState('')
  const [next, setNext] = useState('')
  const change = useChangePassword()
  return (
    <form
      className={css.form}
      onSubmit={(event) => {
        event.preventDefault()
        change.mutate(
          { current_password: current, new_password: next },
          {
            onSuccess: () => {
              setCurrent('')
              setNext('')
              notifications.show({ message: t('auth.passwordChanged'), color: 'moss' })
            },
          },
        )
      }}
    >
      {/* For password keepers: whose password this is. */}
      <input type="text" autoComplete="username" value={profile?.email ?? ''} readOnly hidden />
      <PasswordInput
        label={t('auth.currentPassword')}
        autoComplete="current-password"
        value={current}
        onChange={(event) => setCurrent(event.currentTarget.value)}
        visibilityToggleButtonProps={{ 'aria-label': t('auth.showPassword') }}
        required
        withAsterisk={false}
      />
      <NewPassword
        label={t('auth.newPassword')}
        value={next}
        onValue={setNext}
        email={profile?.email ?? ''}
        words={[profile?.first_name ?? '', profile?.last_name ?? '']}
      />
      {change.isError && <Refused error={change.error} />}
      <div>
        <Button type="submit" loading={change.isPending}>
          {t('auth.changePassword')}
        </Button>
      </div>
    </form>
  )
}
