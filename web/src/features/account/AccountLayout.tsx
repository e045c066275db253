import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { profileQuery } from '@/features/auth'
import { PageHead, tabsClass } from '@/ui'

/** The head and the tabs of one's own account; `children` is the tab. */
export function AccountLayout({ children }: { children: ReactNode }) {
  const { t } = useTranslation()
  const { data } = useQuery(profileQuery)
  return (
    <>
      <PageHead title={t('account.title')} lead={data?.email} />
      <nav className={tabsClass} aria-label={t('account.sections')}>
        <Link to="/account" activeOptions={{ exact: true }}>
          {t('account.profile')}
        </Link>
        <Link to="/account/security">{t('account.security')}</Link>
        <Link to="/account/sessions">{t('account.sessions')}</Link>
      </nav>
      {children}
    </>
  )
}
