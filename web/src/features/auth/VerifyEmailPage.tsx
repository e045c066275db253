import { Button } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { type ReactNode, useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { hasSession } from '@/lib/session'
import { Lines, Note, Refused } from '@/ui'
import { AuthFrame } from './parts/AuthFrame'
import { BadLink } from './parts/BadLink'
import css from './parts/login.module.css'
import { useVerifyEmail } from './queries'

interface VerifyEmailPageProps {
  mark: ReactNode
  /** What stood behind `#token=` in the mail's link. */
  token: string | null
}

/** The link of a verification mail: opening it is all that is asked. */
export function VerifyEmailPage({ mark, token }: VerifyEmailPageProps) {
  const { t } = useTranslation()
  const verify = useVerifyEmail()
  // The link is good once: however often React shows this page, it is used once.
  const sent = useRef(false)
  const { mutate } = verify
  useEffect(() => {
    if (!token || sent.current) return
    sent.current = true
    mutate(token)
  }, [token, mutate])
  return (
    <AuthFrame mark={mark} title={t('auth.verifyTitle')}>
      <div className={css.form}>
        {!token ? (
          <BadLink />
        ) : verify.isSuccess ? (
          <Note tone="good" title={t('auth.verified')} role="status">
            {t('auth.verifiedHint', { email: verify.data.email })}
          </Note>
        ) : verify.isError ? (
          <>
            <Refused error={verify.error} />
            <p className={css.hint}>{t('auth.verifyAgain')}</p>
          </>
        ) : (
          <Lines count={2} />
        )}
        <Button
          size="md"
          fullWidth
          variant={verify.isSuccess ? 'filled' : 'default'}
          renderRoot={(props) => <Link to={hasSession() ? '/devices' : '/login'} {...props} />}
        >
          {t(hasSession() ? 'app.toDevices' : 'auth.signIn')}
        </Button>
      </div>
    </AuthFrame>
  )
}
