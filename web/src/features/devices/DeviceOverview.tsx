import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { bytes } from '@/lib/format'
import { Facts, Panel, Pill, RelativeTime } from '@/ui'
import { type Device, fact, otherFacts } from './model'
import css from './parts/devices.module.css'
import { deviceQuery } from './queries'

/** Measurements (given by the route) beside what the device says about itself. */
export function DeviceOverview({ deviceId, metrics }: { deviceId: string; metrics: ReactNode }) {
  const { data: device } = useQuery(deviceQuery(deviceId))
  if (!device) return null
  return (
    <div className={css.overview}>
      <div className={css.stack}>{metrics}</div>
      <div className={css.stack}>
        <Software device={device} />
        <Hardware device={device} />
        <Network device={device} />
      </div>
    </div>
  )
}

function Software({ device }: { device: Device }) {
  const { t } = useTranslation()
  const tags = device.tags.length > 0 && (
    <span style={{ display: 'inline-flex', flexWrap: 'wrap', gap: 4 }}>
      {device.tags.map((tag) => (
        <Pill key={tag}>{tag}</Pill>
      ))}
    </span>
  )
  return (
    <Panel title={t('devices.identity')}>
      <Facts
        rows={[
          [t('devices.agent'), device.agent_version],
          [t('devices.firmware'), device.firmware_version],
          [t('devices.tags'), tags || null],
          [t('devices.notes'), device.notes],
          [t('devices.added'), <RelativeTime key="added" iso={device.created_at} />],
        ]}
      />
    </Panel>
  )
}

function Hardware({ device }: { device: Device }) {
  const { t, i18n } = useTranslation()
  const { hardware } = device
  const megabytes = (key: string) => {
    const value = Number(fact(hardware, key))
    return value > 0 ? bytes(value * 1024 * 1024, i18n.language) : null
  }
  const system = [fact(hardware, 'os'), fact(hardware, 'arch')].filter(Boolean).join(' · ')
  return (
    <Panel title={t('devices.hardware')}>
      {Object.keys(hardware).length === 0 ? (
        <span className="quiet">{t('devices.noFacts')}</span>
      ) : (
        <Facts
          rows={[
            [t('devices.board'), fact(hardware, 'board_model')],
            [t('devices.system'), system],
            [t('devices.distribution'), fact(hardware, 'distribution')],
            [t('devices.kernel'), fact(hardware, 'kernel')],
            [t('devices.cpu'), fact(hardware, 'cpu_model')],
            [t('devices.cores'), fact(hardware, 'cpu_cores')],
            [t('devices.memory'), megabytes('ram_mb')],
            [t('devices.disk'), megabytes('disk_mb')],
            ...otherFacts(hardware),
          ]}
        />
      )}
    </Panel>
  )
}

function Network({ device }: { device: Device }) {
  const { t } = useTranslation()
  const { network } = device
  return (
    <Panel title={t('devices.network')}>
      {Object.keys(network).length === 0 ? (
        <span className="quiet">{t('devices.noFacts')}</span>
      ) : (
        <Facts
          rows={[
            [t('devices.hostname'), fact(network, 'hostname')],
            [t('devices.address'), <Mono key="ip" text={fact(network, 'ip_address')} />],
            [t('devices.mac'), <Mono key="mac" text={fact(network, 'mac_address')} />],
            [t('devices.link'), fact(network, 'connection_type')],
            [t('devices.interface'), fact(network, 'interface')],
            ...otherFacts(network),
          ]}
        />
      )}
    </Panel>
  )
}

const Mono = ({ text }: { text: string | undefined }) =>
  text ? <span className="mono">{text}</span> : null
