import { Skeleton } from '@mantine/core'
import { IconActivity } from '@tabler/icons-react'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { useNow } from '@/lib/useNow'
import { Blank, crumbClass, Failed, PageHead, Panel, Refused } from '@/ui'
import { type CompareView, metricOf, windowOf } from './compare'
import { RANGES } from './model'
import { CompareControls } from './parts/CompareControls'
import { ManyChart } from './parts/ManyChart'
import { WindowNote } from './parts/TimeWindow'
import { compareQuery } from './queries'
import { useWords } from './useWords'

interface ComparePageProps {
  view: CompareView
  onView: (view: CompareView) => void
}

const EVERY_MS = 15_000

/** One measurement of many devices over the same time, a line each, or taken together. */
export function ComparePage({ view, onView }: ComparePageProps) {
  const { t } = useTranslation()
  const { nameOf } = useWords()
  const at = windowOf(view)
  const still = typeof at !== 'string'
  const answer = useQuery({
    ...compareQuery(view, at),
    placeholderData: keepPreviousData,
    refetchInterval: still ? false : EVERY_MS,
  })
  const now = useNow((ms) => Math.floor(ms / 5_000) * 5)
  const from = still ? at.from : now - RANGES[at].length
  const to = still ? at.to : now
  return (
    <>
      <PageHead
        title={t('compare.title')}
        lead={answer.data && t('compare.lead', { count: answer.data.devices })}
        crumb={
          <Link to="/devices" className={crumbClass}>
            {t('devices.title')}
          </Link>
        }
      />
      <CompareControls view={view} onView={onView} />
      <WindowNote view={view} onView={onView} still={still ? at : undefined} answer={answer.data} />
      <Panel title={nameOf(metricOf(view))}>
        {answer.isPending ? (
          <Skeleton height={340} />
        ) : answer.isError && !answer.data ? (
          <Failed error={answer.error} onRetry={() => void answer.refetch()} />
        ) : (
          <>
            {answer.isError && <Refused error={answer.error} />}
            {!answer.data || answer.data.series.every(({ values }) => values.every(isNothing)) ? (
              <Blank icon={<IconActivity size={22} stroke={1.6} />} title={t('telemetry.none')}>
                {t('compare.noneHint')}
              </Blank>
            ) : (
              <ManyChart
                answer={answer.data}
                metric={metricOf(view)}
                from={from}
                to={to}
                onZoom={(start, end) =>
                  onView({ ...view, from: Math.floor(start), to: Math.ceil(end) })
                }
              />
            )}
          </>
        )}
      </Panel>
    </>
  )
}

const isNothing = (value: number | null) => value === null
