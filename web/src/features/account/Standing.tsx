import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { profileQuery } from '@/features/auth'
import { Note, Refused } from '@/ui'
import css from './parts/account.module.css'
import { useResendVerification } from './queries'

/** What stands between the signed-in person and all that the role allows, with the way out of it. */
export function Standing() {
  const { t } = useTranslation()
  const { data } = useQuery(profileQuery)
  const resend = useResendVerification()
  if (!data) return null
  const needsMfa = data.permissions.includes('restricted:mfa_required')
  const deleted = data.permissions.includes('restricted:organization_deleted')
  if (!needsMfa && !deleted && data.email_verified) return null
  return (
    <div className={css.standing}>
      {needsMfa && (
        <Note tone="wait" title={t('standing.needsMfa')} role="status">
          {t('standing.needsMfaHint')} <Link to="/account/security">{t('standing.setUp')}</Link>
        </Note>
      )}
      {deleted && (
        <Note tone="bad" title={t('standing.deleted')} role="status">
          {t('standing.deletedHint')} <Link to="/organization">{t('standing.restore')}</Link>
        </Note>
      )}
      {!data.email_verified && (
        <Note tone="wait" title={t('standing.unverified')} role="status">
          {resend.isSuccess ? (
            resend.data
          ) : (
            <>
              {t('standing.unverifiedHint', { email: data.email })}{' '}
              <Button
                size="compact-xs"
                variant="default"
                loading={resend.isPending}
                onClick={() => resend.mutate()}
              >
                {t('standing.resend')}
              </Button>
            </>
          )}
        </Note>
      )}
      {resend.isError && <Refused error={resend.error} />}
    </div>
  )
}
