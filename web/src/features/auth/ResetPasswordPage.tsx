import { Button } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Note, Refused } from '@/ui'
import { AuthFrame } from './parts/AuthFrame'
import { BadLink } from './parts/BadLink'
import css from './parts/login.module.css'
import { NewPassword } from './parts/NewPassword'
import { useResetPassword } from './queries'

interface ResetPasswordPageProps {
  mark: ReactNode
  /** What stood behind `#token=` in the mail's link. */
  token: string | null
}

export function ResetPasswordPage({ mark, token }: ResetPasswordPageProps) {
  const { t } = useTranslation()
  const [password, setPassword] = useState('')
  const reset = useResetPassword()
  return (
    <AuthFrame mark={mark} title={t('auth.resetTitle')} lead={t('auth.resetLead')}>
      {!token ? (
        <BadLink />
      ) : reset.isSuccess ? (
        <Note tone="good" title={t('auth.passwordIsChanged')} role="status">
          {t('auth.sessionsEnded', { count: reset.data.ended_sessions })}
        </Note>
      ) : (
        <form
          className={css.form}
          onSubmit={(event) => {
            event.preventDefault()
            reset.mutate({ token, new_password: password })
          }}
        >
          <NewPassword
            label={t('auth.newPassword')}
            size="md"
            value={password}
            onValue={setPassword}
            autoFocus
          />
          {reset.isError && <Refused error={reset.error} />}
          <Button type="submit" size="md" loading={reset.isPending} fullWidth>
            {t('auth.setPassword')}
          </Button>
        </form>
      )}
      <p className={css.ways}>
        <Link to="/login">{t('auth.backToLogin')}</Link>
        {reset.isError && <Link to="/forgot-password">{t('auth.anotherLink')}</Link>}
      </p>
    </AuthFrame>
  )
}
