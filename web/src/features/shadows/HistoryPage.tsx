import { IconHistory } from '@tabler/icons-react'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { Blank, crumbClass, More, Panel, Pill, Reading, RelativeTime } from '@/ui'
import { type Comparison, type ShadowVersion, touched } from './model'
import { Compare } from './parts/Compare'
import css from './parts/history.module.css'
import { shadowHistoryQuery, shadowQuery } from './queries'

interface HistoryPageProps {
  deviceId: string
  /** The versions that are compared; part of the address. */
  comparison: Comparison
  onComparison: (comparison: Comparison) => void
}

/** Every kept version of a shadow: who made it and when, what any two differ in, and the way back to one. */
export function HistoryPage({ deviceId, comparison, onComparison }: HistoryPageProps) {
  const { t } = useTranslation()
  const history = useInfiniteQuery(shadowHistoryQuery(deviceId))
  const { data: now } = useQuery(shadowQuery(deviceId))
  const versions = history.data?.items ?? []
  const to = comparison.to ?? versions[0]?.version
  const from = comparison.from ?? (to === undefined ? undefined : Math.max(0, to - 1))
  return (
    <div className={css.history}>
      <Panel
        title={t('shadows.history.versions')}
        flush
        actions={
          <Link to="/devices/$deviceId/shadow" params={{ deviceId }} className={crumbClass}>
            {t('shadows.history.asItIs')}
          </Link>
        }
      >
        <Reading query={history} lines={8}>
          {({ items }) =>
            items.length === 0 ? (
              <Blank
                icon={<IconHistory size={22} stroke={1.6} />}
                title={t('shadows.history.none')}
              >
                {t('shadows.history.noneHint')}
              </Blank>
            ) : (
              <ol className={css.versions} aria-label={t('shadows.history.versions')}>
                {items.map((each) => (
                  <li key={each.version}>
                    <button
                      type="button"
                      aria-current={each.version === to}
                      data-from={each.version === from || undefined}
                      onClick={() => onComparison({ to: each.version })}
                    >
                      <Entry version={each} />
                    </button>
                  </li>
                ))}
              </ol>
            )
          }
        </Reading>
        <More query={history} />
      </Panel>
      {now && to !== undefined && from !== undefined && (
        <Compare
          deviceId={deviceId}
          now={now}
          from={from}
          to={to}
          versions={versions}
          onComparison={onComparison}
        />
      )}
    </div>
  )
}

const KEYS_SHOWN = 3

function Entry({ version: { version, changed, by, at, patch, truncated } }: EntryProps) {
  const { t } = useTranslation()
  const keys = touched(patch)
  const more = keys.length - KEYS_SHOWN
  return (
    <>
      <span className={css.number}>{version}</span>{' '}
      <span className={css.what}>
        <Pill tone={changed === 'reported' ? 'plain' : changed === 'deleted' ? 'bad' : 'wait'}>
          {t(`shadows.history.changed.${changed}`)}
        </Pill>{' '}
        <span className="mono">
          {truncated ? t('shadows.history.long') : keys.slice(0, KEYS_SHOWN).join(', ')}
        </span>
        {more > 0 && (
          <span className="quiet">{t('shadows.history.moreKeys', { count: more })}</span>
        )}
      </span>{' '}
      <span className={css.who}>
        {by.kind === 'device' || by.kind === 'system'
          ? t(`shadows.history.by.${by.kind}`)
          : by.name || by.id}{' '}
        · <RelativeTime iso={at} />
      </span>
    </>
  )
}

interface EntryProps {
  version: ShadowVersion
}
