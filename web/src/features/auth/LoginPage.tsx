import { Button, PasswordInput, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { instanceQuery } from '@/lib/instance'
import { isProblem } from '@/lib/problem'
import { Note, Refused } from '@/ui'
import type { LoginReason } from './model'
import css from './parts/login.module.css'
import { useLogin } from './queries'

interface LoginPageProps {
  reason: LoginReason | undefined
  /** The product's mark; given, since the design system and features know no logo. */
  mark: React.ReactNode
  onSignedIn: () => void
}

export function LoginPage({ reason, mark, onSignedIn }: LoginPageProps) {
  const { t } = useTranslation()
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const { data: instance } = useQuery(instanceQuery)
  const login = useLogin()
  useEffect(() => {
    document.title = `${t('auth.signIn')} · EdgeFlow`
  }, [t])

  return (
    <div className={css.page}>
      <aside className={css.side} aria-hidden>
        <Traces />
      </aside>
      <main className={css.main}>
        <div className={css.box}>
          <div className={css.mark}>{mark}</div>
          <h1 className={css.title}>{t('auth.title')}</h1>
          <p className={css.lead}>
            {instance?.name ? t('auth.leadTo', { name: instance.name }) : t('auth.lead')}
          </p>
          {reason === 'expired' && <Note role="status">{t('auth.expired')}</Note>}
          <form
            className={css.form}
            onSubmit={(event) => {
              event.preventDefault()
              login.mutate({ email: email.trim(), password }, { onSuccess: onSignedIn })
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
          <details className={css.help}>
            <summary>{t('auth.firstTime')}</summary>
            <p>{t('auth.firstTimeHint')}</p>
            <p>
              {t('auth.lost')} <code className="mono">edgeflow-cloud user reset-password</code>
            </p>
          </details>
          <p className={css.version}>
            {instance ? t('auth.version', { version: instance.version }) : ' '}
          </p>
        </div>
      </main>
    </div>
  )
}

/** Traces of a board that end in devices: the product in one drawing. */
function Traces() {
  return (
    <svg
      aria-hidden
      viewBox="0 0 420 640"
      className={css.traces}
      preserveAspectRatio="xMidYMid slice"
    >
      <g fill="none" stroke="currentColor" strokeWidth="1.5">
        <path d="M-10 80h150l60 60h90l40 40v70" />
        <path d="M-10 120h120l80 80v110l50 50h110" />
        <path d="M-10 160h90l60 60v180l70 70h40" />
        <path d="M-10 200h60l40 40v220l90 90h120" />
        <path d="M-10 240h20l30 30v250l70 70h160" />
        <path d="M-10 40h200l50 50h190" />
      </g>
      <g className={css.lit} fill="none" strokeWidth="2">
        <path d="M-10 120h120l80 80v110l50 50h110" />
      </g>
      <g fill="currentColor">
        <circle cx="330" cy="250" r="5" />
        <circle cx="250" cy="470" r="5" />
        <circle cx="300" cy="550" r="5" />
        <circle cx="270" cy="590" r="5" />
      </g>
      <circle className={css.litDot} cx="350" cy="360" r="7" />
    </svg>
  )
}
