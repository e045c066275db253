import { Link } from '@tanstack/react-router'
import { createColumnHelper, tableFeatures } from '@tanstack/react-table'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { Dot, Pill, RelativeTime } from '@/ui'
import { type Device, fact, platform, presenceTone } from '../model'
import css from './devices.module.css'

/** One row of the window; its device is undefined until its page has arrived. */
export interface DeviceRow {
  index: number
  device: Device | undefined
}

const features = tableFeatures({})
const helper = createColumnHelper<typeof features, DeviceRow>()
const TAGS_SHOWN = 2

export function useDeviceColumns() {
  const { t } = useTranslation()
  return useMemo(() => {
    /** A column that shows something of a device that is there. */
    const column = (id: string, header: string, cell: (device: Device) => React.ReactNode) =>
      helper.display({
        id,
        header,
        cell: ({ row }) => row.original.device && cell(row.original.device),
      })
    return helper.columns([
      column('name', t('devices.name'), (device) => <NameCell device={device} />),
      column('board', t('devices.board'), platform),
      column('address', t('devices.address'), (device) => (
        <span className="mono">{fact(device.network, 'ip_address')}</span>
      )),
      column('agent', t('devices.agent'), (device) => (
        <span className="mono">{device.agent_version}</span>
      )),
      column('firmware', t('devices.firmware'), (device) => (
        <span className="mono">{device.firmware_version}</span>
      )),
      column('seen', t('devices.lastSeen'), (device) => <Seen device={device} />),
    ])
  }, [t])
}

function NameCell({ device }: { device: Device }) {
  const { t } = useTranslation()
  const rest = device.tags.length - TAGS_SHOWN
  return (
    <>
      <Dot
        tone={presenceTone(device)}
        label={t(device.status === 'online' ? 'devices.online' : 'devices.offline')}
      />
      <Link className={css.name} to="/devices/$deviceId" params={{ deviceId: device.device_id }}>
        {device.name || device.device_id}
      </Link>
      <span className={css.tags}>
        {device.tags.slice(0, TAGS_SHOWN).map((tag) => (
          <Pill key={tag}>{tag}</Pill>
        ))}
        {rest > 0 && <span className="quiet">+{rest}</span>}
      </span>
    </>
  )
}

function Seen({ device }: { device: Device }) {
  const { t } = useTranslation()
  if (device.status === 'online')
    return <span className={css.now}>{t('devices.connectedNow')}</span>
  if (!device.last_seen_at) return <span className="quiet">{t('devices.never')}</span>
  return <RelativeTime iso={device.last_seen_at} />
}
