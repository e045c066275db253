import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { PageHead, tabsClass } from '@/ui'
import { SwitchOrganization } from './parts/SwitchOrganization'
import { organizationQuery, useOrganizationId } from './queries'

/** The head and the tabs of the organization that the session is in; `children` is the tab. */
export function OrganizationLayout({ children }: { children: ReactNode }) {
  const { t } = useTranslation()
  const { data } = useQuery(organizationQuery(useOrganizationId()))
  return (
    <>
      <PageHead
        title={t('organization.title')}
        lead={data && `${data.name} · ${data.slug}`}
        actions={<SwitchOrganization />}
      />
      <nav className={tabsClass} aria-label={t('organization.sections')}>
        <Link to="/organization" activeOptions={{ exact: true }}>
          {t('organization.general')}
        </Link>
        <Link to="/organization/members">{t('members.title')}</Link>
        <Link to="/organization/security">{t('organization.security')}</Link>
        <Link to="/organization/projects">{t('projects.title')}</Link>
        <Link to="/organization/api-keys">{t('apiKeys.title')}</Link>
        <Link to="/organization/usage">{t('usage.title')}</Link>
        <Link to="/organization/audit" activeOptions={{ includeSearch: false }}>
          {t('audit.short')}
        </Link>
      </nav>
      {children}
    </>
  )
}
