import { SegmentedControl, Skeleton } from '@mantine/core'
import { IconActivity } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { useNow } from '@/lib/useNow'
import { Blank, Failed, Panel } from '@/ui'
import { RANGES, type Range, USUAL_METRICS } from './model'
import { MetricChart } from './parts/MetricChart'
import { useSeries } from './useSeries'

const SHOWN: readonly Range[] = ['15m', '1h', '6h', '24h']

interface MetricsPanelProps {
  deviceId: string
  range: Range
  onRange: (range: Range) => void
}

/** CPU and memory at a glance; the page of metrics has the rest. */
export function MetricsPanel({ deviceId, range, onRange }: MetricsPanelProps) {
  const { t } = useTranslation()
  const { history, series } = useSeries({ deviceId, metrics: USUAL_METRICS, at: range })
  const to = useNow((now) => Math.floor(now / 2000) * 2)
  return (
    <Panel
      title={t('telemetry.title')}
      actions={
        <SegmentedControl
          size="xs"
          aria-label={t('telemetry.range')}
          value={range}
          onChange={(value) => onRange(value as Range)}
          data={SHOWN.map((value) => ({ value, label: t(`telemetry.ranges.${value}`) }))}
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
        USUAL_METRICS.map((metric, index) => (
          <MetricChart
            key={metric}
            metric={metric}
            series={series}
            from={to - RANGES[range].length}
            to={to}
            color={index === 0 ? '--chart-1' : '--chart-2'}
          />
        ))
      )}
    </Panel>
  )
}
