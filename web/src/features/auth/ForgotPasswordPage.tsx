import { Button, TextInput } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Note, Refused } from '@/ui'
import { AuthFrame } from './parts/AuthFrame'
import css from './parts/login.module.css'
import { useForgotPassword } from './queries'

/** Asks for a mail with a link. The answer is the same whether or not somebody has the address. */
export function ForgotPasswordPage({ mark }: { mark: ReactNode }) {
  const { t } = useTranslation()
  const [email, setEmail] = useState('')
  const ask = useForgotPassword()
  return (
    <AuthFrame mark={mark} title={t('auth.forgotTitle')} lead={t('auth.forgotLead')}>
      {ask.isSuccess ? (
        <Note tone="good" title={t('auth.lookInMail')} role="status">
          {ask.data.message}
        </Note>
      ) : (
        <form
          className={css.form}
          onSubmit={(event) => {
            event.preventDefault()
            ask.mutate(email.trim())
          }}
        >
          <TextInput
            label={t('auth.email')}
            type="email"
            autoComplete="username"
            size="md"
            value={email}
            onChange={(event) => setEmail(event.currentTarget.value)}
            required
            withAsterisk={false}
            autoFocus
          />
          {ask.isError && <Refused error={ask.error} />}
          <Button type="submit" size="md" loading={ask.isPending} fullWidth>
            {t('auth.sendLink')}
          </Button>
        </form>
      )}
      <p className={css.ways}>
        <Link to="/login">{t('auth.backToLogin')}</Link>
      </p>
    </AuthFrame>
  )
}
