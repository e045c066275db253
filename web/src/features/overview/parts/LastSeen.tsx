import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { awayQuery, Presence } from '@/features/devices'
import { Panel, Reading } from '@/ui'
import css from './overview.module.css'

/** The devices that went away last; nothing at all where none did. */
export function LastSeen() {
  const { t } = useTranslation()
  const away = useQuery(awayQuery)
  if (away.data?.length === 0) return null
  return (
    <Panel title={t('overview.away')} flush>
      <Reading query={away} lines={3}>
        {(devices) => (
          <ul className={css.rows}>
            {devices.map((device) => (
              <li key={device.device_id}>
                <Link
                  to="/devices/$deviceId"
                  params={{ deviceId: device.device_id }}
                  className={css.row}
                >
                  <span>{device.name || device.device_id}</span>
                  <span className={css.when}>
                    <Presence device={device} />
                  </span>
                </Link>
              </li>
            ))}
          </ul>
        )}
      </Reading>
    </Panel>
  )
}
