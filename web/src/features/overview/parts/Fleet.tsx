import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { type DeviceView, deviceCountQuery } from '@/features/devices'
import { usePollWhenNotLive } from '@/lib/live'
import { Dot, type Tone } from '@/ui'
import { ADDED } from '../model'
import css from './overview.module.css'

/** The fleet in four numbers; each leads to the devices that it counts. */
export function Fleet({ all }: { all: number | null }) {
  const { t } = useTranslation()
  const online = useCount({ status: 'online' })
  const offline = useCount({ status: 'offline' })
  const added = useCount({ q: ADDED })
  return (
    <>
      <ul className={css.numbers}>
        <Figure label={t('overview.all')} count={all} view={{}} />
        <Figure
          label={t('devices.online')}
          count={online}
          view={{ status: 'online' }}
          tone="good"
        />
        <Figure
          label={t('devices.offline')}
          count={offline}
          view={{ status: 'offline' }}
          tone="off"
        />
        <Figure label={t('overview.added')} count={added} view={{ q: ADDED }} />
      </ul>
      {!!all && online != null && (
        <meter
          className={css.share}
          aria-label={t('overview.share')}
          min={0}
          max={all}
          value={online}
        />
      )}
    </>
  )
}

function useCount(view: DeviceView): number | null | undefined {
  const poll = usePollWhenNotLive(10_000)
  return useQuery({ ...deviceCountQuery(view), refetchInterval: poll }).data
}

interface FigureProps {
  label: string
  /** undefined: not known yet */
  count: number | null | undefined
  view: DeviceView
  tone?: Tone
}

function Figure({ label, count, view, tone }: FigureProps) {
  const { i18n } = useTranslation()
  return (
    <li>
      <Link to="/devices" search={view} className={css.figure}>
        <span className={css.figureLabel}>
          {tone && <Dot tone={tone} />}
          {label}
        </span>
        <strong>{count?.toLocaleString(i18n.language) ?? '…'}</strong>
      </Link>
    </li>
  )
}
