import { Button } from '@mantine/core'
import { IconCpu, IconPlus } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { useMay } from '@/features/auth'
import { deviceCountQuery } from '@/features/devices'
import { organizationQuery, useOrganizationId } from '@/features/organizations'
import { usePollWhenNotLive } from '@/lib/live'
import { Blank, PageHead, Panel, Reading } from '@/ui'
import { Attention } from './parts/Attention'
import { Changes } from './parts/Changes'
import { Fleet } from './parts/Fleet'
import { LastSeen } from './parts/LastSeen'
import css from './parts/overview.module.css'

/** What a person sees first: how the fleet is, what wants looking after, what was done today. */
export function OverviewPage() {
  const { t } = useTranslation()
  const organization = useQuery(organizationQuery(useOrganizationId()))
  const mayLog = useMay('audit:view')
  const poll = usePollWhenNotLive(10_000)
  const all = useQuery({ ...deviceCountQuery({}), refetchInterval: poll })
  return (
    <>
      <PageHead
        title={t('overview.title')}
        lead={organization.data?.name}
        actions={
          <Button
            leftSection={<IconPlus size={16} />}
            renderRoot={(props) => <Link to="/devices/add" {...props} />}
          >
            {t('devices.add')}
          </Button>
        }
      />
      <div className={css.page}>
        <Panel title={t('devices.title')} flush>
          <Reading query={all} lines={3}>
            {(count) => (count === 0 ? <NoDevice /> : <Fleet all={count} />)}
          </Reading>
        </Panel>
        <div className={css.columns}>
          <div className={css.column}>
            <Attention />
            {all.data !== 0 && <LastSeen />}
          </div>
          {mayLog && <Changes />}
        </div>
      </div>
    </>
  )
}

function NoDevice() {
  const { t } = useTranslation()
  return (
    <Blank icon={<IconCpu size={22} stroke={1.6} />} title={t('overview.noDevice')}>
      {t('overview.noDeviceHint')}
    </Blank>
  )
}
