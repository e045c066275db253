import { Button } from '@mantine/core'
import { IconArrowRight } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { AuthFrame } from '@/features/auth'
import { keptClaimCode } from '@/lib/claim-code'
import css from './parts/provisioning.module.css'

/** Before the login: what the label that was scanned is for, and the way on. */
export function ScannedPage({ mark }: { mark: ReactNode }) {
  const { t } = useTranslation()
  const code = keptClaimCode()
  return (
    <AuthFrame
      mark={mark}
      title={t('claim.scanned')}
      lead={code ? t('claim.scannedLead', { code }) : t('claim.scannedNoCode')}
    >
      <ul className={css.outcomes}>
        <li>{t('claim.whenNew')}</li>
        <li>{t('claim.whenOurs')}</li>
        <li>{t('claim.whenReleased')}</li>
      </ul>
      <Button
        fullWidth
        rightSection={<IconArrowRight size={15} />}
        renderRoot={(props) => <Link to="/login" search={{ next: '/devices/claim' }} {...props} />}
      >
        {t('claim.signIn')}
      </Button>
    </AuthFrame>
  )
}
