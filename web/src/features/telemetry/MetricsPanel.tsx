import { SegmentedControl, Skeleton } from '@mantine/core'
import { IconActivity } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useLiveSamples, usePollWhenNotLive } from '@/lib/live'
import { useNow } from '@/lib/useNow'
import { Blank, Failed, Panel } from '@/ui'
import { joinSeries, METRICS, type Point, pointOf, RANGES, type Range } from './model'
import { MetricChart } from './parts/MetricChart'
import { metricsQuery } from './queries'

interface MetricsPanelProps {
  deviceId: string
  range: Range
  onRange: (range: Range) => void
}

/** Live points kept in memory: at one every second, the shortest window. */
const LIVE_KEPT = 900
/** Three missed measurements of the agent's ten seconds. */
const SILENCE_S = 35

/** CPU and memory: the chosen window from the store, then every sample as the device sends it. */
export function MetricsPanel({ deviceId, range, onRange }: MetricsPanelProps) {
  const { t } = useTranslation()
  const poll = usePollWhenNotLive(15_000)
  const history = useQuery({ ...metricsQuery(deviceId, range), refetchInterval: poll || 120_000 })
  const [live, setLive] = useState<Point[]>([])
  // biome-ignore lint/correctness/useExhaustiveDependencies: another device starts with none
  useEffect(() => setLive([]), [deviceId])
  useLiveSamples(deviceId, (sample) => {
    const point = pointOf(sample)
    if (point) setLive((points) => [...points.slice(-LIVE_KEPT), point])
  })

  const { length, step } = RANGES[range]
  const to = useNow((now) => Math.floor(now / 2000) * 2)
  const series = joinSeries(history.data, live, Math.max(step * 3, SILENCE_S))

  return (
    <Panel
      title={t('telemetry.title')}
      actions={
        <SegmentedControl
          size="xs"
          aria-label={t('telemetry.range')}
          value={range}
          onChange={(value) => onRange(value as Range)}
          data={Object.keys(RANGES).map((value) => ({
            value,
            label: t(`telemetry.ranges.${value as Range}`),
          }))}
        />
      }
    >
      {history.isPending ? (
        <>
          <Skeleton height={190} mb={20} />
          <Skeleton height={190} />
        </>
      ) : history.isError && series.time.length === 0 ? (
        <Failed error={history.error} onRetry={() => void history.refetch()} />
      ) : series.time.length === 0 ? (
        <Blank icon={<IconActivity size={22} stroke={1.6} />} title={t('telemetry.none')}>
          {t('telemetry.noneHint')}
        </Blank>
      ) : (
        METRICS.map((metric) => (
          <MetricChart key={metric} metric={metric} series={series} from={to - length} to={to} />
        ))
      )}
    </Panel>
  )
}
