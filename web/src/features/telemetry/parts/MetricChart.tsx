import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { exact } from '@/lib/format'
import { type Hover, TimeChart, type TimeMark } from '@/ui/time-chart'
import { latestOf, type Series, unitOf } from '../model'
import { useWords } from '../useWords'
import css from './telemetry.module.css'

interface MetricChartProps {
  metric: string
  series: Series
  /** Drawn beside, on the same axes. */
  other?: { series: Series; name: string } | null
  marks?: TimeMark[]
  from: number
  to: number
  color?: '--chart-1' | '--chart-2'
  height?: number
  onZoom?: (from: number, to: number) => void
}

/** One metric over time; its head shows the latest value, or the one under the cursor with its time. */
export function MetricChart({
  metric,
  series,
  other,
  marks,
  from,
  to,
  color = '--chart-1',
  height = 160,
  onZoom,
}: MetricChartProps) {
  const { t, i18n } = useTranslation()
  const { nameOf, show } = useWords()
  const [hover, setHover] = useState<Hover | null>(null)
  const name = nameOf(metric)
  const values = series.values[metric]
  const otherValues = other?.series.values[metric]
  const lines = useMemo(
    () => [
      { time: series.time, values: values ?? [], color },
      ...(other && otherValues
        ? [{ time: other.series.time, values: otherValues, color: '--chart-3', beside: true }]
        : []),
    ],
    [series.time, values, other, otherValues, color],
  )
  const latest = latestOf(values)
  const hovered = hover?.values[0] ?? null
  const reading = (value: number | null | undefined) =>
    value === null || value === undefined ? '–' : show(metric, value)
  const unit = unitOf(metric)
  return (
    <figure className={css.chart}>
      <figcaption className={css.caption}>
        <span className={css.name}>
          <i style={{ background: `var(${color})` }} />
          {name}
        </span>
        <span className={css.value}>{reading(hovered ?? latest)}</span>
        {other && otherValues && (
          <span className={css.name}>
            <i data-beside style={{ borderColor: 'var(--chart-3)' }} />
            {other.name}{' '}
            <span className={css.beside}>
              {reading(hover ? hover.values[1] : latestOf(otherValues))}
            </span>
          </span>
        )}
        {hover && (hovered !== null || hover.values[1] != null) && (
          <span className="quiet">
            {exact(new Date(hover.at * 1000).toISOString(), i18n.language)}
          </span>
        )}
      </figcaption>
      <TimeChart
        lines={lines}
        {...(marks ? { marks } : {})}
        from={from}
        to={to}
        {...(unit === 'percent' ? { min: 0, max: 100 } : {})}
        format={(value) => show(metric, value, 0)}
        label={t('telemetry.chartLabel', {
          name,
          value: latest === null ? '–' : show(metric, latest),
        })}
        height={height}
        sync="device-metrics"
        onHover={setHover}
        {...(onZoom ? { onZoom } : {})}
      />
    </figure>
  )
}
