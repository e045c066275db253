import { Switch } from '@mantine/core'
import { IconShieldCheck } from '@tabler/icons-react'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { MayNot, profileQuery, useMay } from '@/features/auth'
import {
  organizationQuery,
  requiresMfa,
  useOrganizationId,
  useUpdateOrganization,
} from '@/features/organizations'
import { Blank, Confirm, Lines, More, Note, Panel, Reading } from '@/ui'
import { MemberTable } from './parts/MemberTable'
import css from './parts/members.module.css'
import { memberListQuery } from './queries'

/** Who has no second factor, and whether everybody needs one. */
export function MfaPage() {
  const organizationId = useOrganizationId()
  return organizationId ? <Mfa organizationId={organizationId} /> : <Lines />
}

function Mfa({ organizationId }: { organizationId: string }) {
  const { t } = useTranslation()
  const organization = useQuery(organizationQuery(organizationId))
  const members = useInfiniteQuery(memberListQuery(organizationId))
  const mayPeople = useMay('users:manage') ?? false
  return (
    <>
      <MayNot permission="organization:manage" toDo={t('organizationMfa.mayNot')} />
      <div className={css.stack}>
        <Panel title={t('organizationMfa.title')}>
          <Reading query={organization} lines={2}>
            {(data) => <Require organization={data} />}
          </Reading>
        </Panel>
        <Panel title={t('organizationMfa.without')} flush>
          <Reading query={members}>
            {({ items }) => {
              const without = items.filter(({ mfa_enabled }) => !mfa_enabled)
              return without.length === 0 ? (
                <Blank
                  icon={<IconShieldCheck size={22} stroke={1.6} />}
                  title={t('organizationMfa.everybody')}
                />
              ) : (
                <MemberTable members={without} organizationId={organizationId} may={mayPeople} />
              )
            }}
          </Reading>
          <More query={members} />
        </Panel>
      </div>
    </>
  )
}

type RequireProps = { organization: Parameters<typeof useUpdateOrganization>[0] }

function Require({ organization }: RequireProps) {
  const { t } = useTranslation()
  const may = useMay('organization:manage') ?? false
  const { data: me } = useQuery(profileQuery)
  const [asked, setAsked] = useState(false)
  const update = useUpdateOrganization(organization, () => setAsked(false))
  const required = requiresMfa(organization)
  const set = (require_mfa: boolean) => update.mutate({ settings: { require_mfa } })
  return (
    <>
      <Switch
        label={t('organizationMfa.require')}
        description={t('organizationMfa.requireHint')}
        checked={required}
        disabled={!may}
        onChange={() => setAsked(true)}
      />
      {asked && (
        <Confirm
          title={t(required ? 'organizationMfa.offTitle' : 'organizationMfa.onTitle')}
          action={t(required ? 'organizationMfa.off' : 'organizationMfa.on')}
          danger={required}
          pending={update.isPending}
          error={update.error}
          onConfirm={() => set(!required)}
          onClose={() => setAsked(false)}
        >
          {t(required ? 'organizationMfa.offWhat' : 'organizationMfa.onWhat')}
          {!required && me?.mfa_enabled === false && (
            <div style={{ marginTop: 12 }}>
              <Note tone="wait">{t('organizationMfa.youToo')}</Note>
            </div>
          )}
        </Confirm>
      )}
    </>
  )
}
