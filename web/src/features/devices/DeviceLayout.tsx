import { Skeleton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { usePollWhenNotLive } from '@/lib/live'
import { isProblem } from '@/lib/problem'
import { CopyIcon, crumbClass, Failed, PageHead, tabsClass } from '@/ui'
import { DeviceMenu } from './parts/DeviceMenu'
import css from './parts/devices.module.css'
import { ranked, useFindingTitle } from './parts/Findings'
import { Presence } from './parts/Presence'
import { deviceQuery, explainQuery } from './queries'

interface DeviceLayoutProps {
  deviceId: string
  children: ReactNode
}

/** The head and the tabs of one device; `children` is the tab. */
export function DeviceLayout({ deviceId, children }: DeviceLayoutProps) {
  const { t } = useTranslation()
  const poll = usePollWhenNotLive(10_000)
  const device = useQuery({ ...deviceQuery(deviceId), refetchInterval: poll })
  const back = (
    <Link to="/devices" className={crumbClass}>
      {t('devices.title')}
    </Link>
  )

  if (device.isPending) {
    return (
      <>
        <PageHead
          title={t('devices.device')}
          crumb={back}
          lead={<Skeleton height={14} width={220} mt={8} />}
        />
        <Skeleton height={36} mb={20} />
        <Skeleton height={320} />
      </>
    )
  }
  if (!device.data) {
    return (
      <>
        <PageHead title={t('devices.device')} crumb={back} />
        <Failed error={device.error} onRetry={() => void device.refetch()} />
      </>
    )
  }
  // Shown from the cache while a re-read fails: better old than nothing, unless it is gone. Its menu stays even then: the
  // code of a device that was just released is shown there, once.
  const gone = isProblem(device.error) && device.error.status === 404
  return (
    <>
      <PageHead
        title={device.data.name || deviceId}
        crumb={back}
        lead={
          !gone && (
            <div className={css.presence}>
              <Presence device={device.data} />
              <Why deviceId={deviceId} />
              <span>
                <span className="mono">{deviceId}</span>
                <CopyIcon text={deviceId} label={t('devices.copyId')} />
              </span>
            </div>
          )
        }
        actions={<DeviceMenu device={device.data} gone={gone} />}
      />
      {gone ? (
        <Failed error={device.error} onRetry={() => void device.refetch()} />
      ) : (
        <Tabs deviceId={deviceId}>{children}</Tabs>
      )}
    </>
  )
}

function Tabs({ deviceId, children }: DeviceLayoutProps) {
  const { t } = useTranslation()
  return (
    <>
      <nav className={tabsClass} aria-label={t('devices.sections')}>
        <Link
          to="/devices/$deviceId"
          params={{ deviceId }}
          activeOptions={{ exact: true, includeSearch: false }}
        >
          {t('devices.overview')}
        </Link>
        <Link
          to="/devices/$deviceId/metrics"
          params={{ deviceId }}
          activeOptions={{ includeSearch: false }}
        >
          {t('telemetry.title')}
        </Link>
        <Link
          to="/devices/$deviceId/shadow"
          params={{ deviceId }}
          activeOptions={{ includeSearch: false }}
        >
          {t('devices.shadow')}
        </Link>
        <Link
          to="/devices/$deviceId/commands"
          params={{ deviceId }}
          activeOptions={{ includeSearch: false }}
        >
          {t('devices.commands')}
        </Link>
        <Link
          to="/devices/$deviceId/executions"
          params={{ deviceId }}
          activeOptions={{ includeSearch: false }}
        >
          {t('executions.title')}
        </Link>
        <Link
          to="/devices/$deviceId/logs"
          params={{ deviceId }}
          activeOptions={{ includeSearch: false }}
        >
          {t('logs.title')}
        </Link>
        <Link
          to="/devices/$deviceId/explain"
          params={{ deviceId }}
          activeOptions={{ includeSearch: false }}
        >
          {t('explain.title')}
        </Link>
      </nav>
      {children}
    </>
  )
}

/** What the status beside it says already. */
const SAID = new Set(['connected', 'never_connected', 'offline'])

/** The gravest thing that is not as it should be, in a line; nothing where all is well. */
function Why({ deviceId }: { deviceId: string }) {
  const { data } = useQuery(explainQuery(deviceId))
  const titleOf = useFindingTitle()
  const finding = ranked(data ?? []).find(({ code }) => !SAID.has(code))
  if (!finding || finding.state === 'ok') return null
  return (
    <Link to="/devices/$deviceId/explain" params={{ deviceId }} className={css.why}>
      {titleOf(finding)}
    </Link>
  )
}
