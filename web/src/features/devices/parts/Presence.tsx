import { useTranslation } from 'react-i18next'
import { duration } from '@/lib/format'
import { useNow } from '@/lib/useNow'
import { Dot, RelativeTime } from '@/ui'
import { type Device, isNew, presenceTone } from '../model'
import css from './devices.module.css'

/** The status as a sentence: what it is, and since when. */
export function Presence({ device }: { device: Device }) {
  const tone = presenceTone(device)
  return (
    <span role="status">
      <Dot tone={tone} />
      <span className={css.state} data-tone={tone}>
        <Sentence device={device} />
      </span>
    </span>
  )
}

function Sentence({ device }: { device: Device }) {
  const { t } = useTranslation()
  const since = device.connected_at ? Date.parse(device.connected_at) : undefined
  const length = useNow((now) => (since ? duration((now - since) / 1000) : ''))
  if (device.status === 'online') {
    return since ? t('devices.onlineFor', { duration: length }) : t('devices.online')
  }
  if (isNew(device)) return t('devices.neverConnected')
  if (!device.last_seen_at) return t('devices.offline')
  return (
    <>
      {t('devices.offlineSeen')} <RelativeTime iso={device.last_seen_at} />
    </>
  )
}
