import { Button, PasswordInput, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { instanceQuery } from '@/lib/instance'
import { isProblem } from '@/lib/problem'
import { Note, Refused } from '@/ui'
import type { LoginReason } from './model'
import { AuthFrame } from './parts/AuthFrame'
import { CodeStep } from './parts/CodeStep'
import css from './parts/login.module.css'
import { needsCode, useLogin } from './queries'

interface LoginPageProps {
  reason: LoginReason | undefined
  mark: ReactNode
  /** The organization to enter, for who belongs to several. */
  organizationId: string | undefined
  onSignedIn: () => void
}

export function LoginPage({ reason, mark, organizationId, onSignedIn }: LoginPageProps) {
  const { t } = useTranslation()
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const [asksCode, setAsksCode] = useState(false)
  const { data: instance } = useQuery(instanceQuery)
  const login = useLogin()
  const send = (mfa_code?: string) =>
    login.mutate(
      {
        email: email.trim(),
        password,
        ...(organizationId ? { organization_id: organizationId } : {}),
        ...(mfa_code ? { mfa_code } : {}),
      },
      { onSuccess: (answer) => (needsCode(answer) ? setAsksCode(true) : onSignedIn()) },
    )
  const back = () => {
    login.reset()
    setPassword('')
    setAsksCode(false)
  }

  if (asksCode) {
    return (
      <AuthFrame mark={mark} title={t('auth.secondFactor')} lead={t('auth.secondFactorHint')}>
        <CodeStep pending={login.isPending} error={login.error} onCode={send} onBack={back} />
      </AuthFrame>
    )
  }
  return (
    <AuthFrame
      mark={mark}
      title={t('auth.title')}
      lead={instance?.name ? t('auth.leadTo', { name: instance.name }) : t('auth.lead')}
    >
      {reason === 'expired' && <Note role="status">{t('auth.expired')}</Note>}
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault()
          send()
        }}
      >
        <TextInput
          label={t('auth.email')}
          type="email"
          name="email"
          autoComplete="username"
          size="md"
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
          required
          withAsterisk={false}
          autoFocus
        />
        <PasswordInput
          label={t('auth.password')}
          name="password"
          autoComplete="current-password"
          size="md"
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          visibilityToggleButtonProps={{ 'aria-label': t('auth.showPassword') }}
          required
          withAsterisk={false}
        />
        {isProblem(login.error) && login.error.status === 401 ? (
          <Note tone="bad" title={t('auth.refused')} role="alert">
            {login.error.detail}
          </Note>
        ) : (
          login.isError && <Refused error={login.error} />
        )}
        <Button type="submit" size="md" loading={login.isPending} fullWidth>
          {t('auth.signIn')}
        </Button>
      </form>
      <p className={css.ways}>
        <Link to="/forgot-password">{t('auth.forgot')}</Link>
        {instance?.registration === 'open' && <Link to="/sign-up">{t('auth.signUp')}</Link>}
      </p>
      {instance?.registration === 'invite' && <p className={css.hint}>{t('auth.byInvitation')}</p>}
      <details className={css.help}>
        <summary>{t('auth.firstTime')}</summary>
        <p>{t('auth.firstTimeHint')}</p>
        <p>
          {t('auth.lost')} <code className="mono">edgeflow-cloud user reset-password</code>
        </p>
      </details>
    </AuthFrame>
  )
}
