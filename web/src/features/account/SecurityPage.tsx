import { useTranslation } from 'react-i18next'
import { Panel } from '@/ui'
import css from './parts/account.module.css'
import { ChangePassword } from './parts/ChangePassword'
import { Mfa } from './parts/Mfa'

export function SecurityPage() {
  const { t } = useTranslation()
  return (
    <div className={css.columns}>
      <Panel title={t('mfa.title')}>
        <Mfa />
      </Panel>
      <Panel title={t('auth.changePassword')}>
        <ChangePassword />
      </Panel>
    </div>
  )
}
