import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { exact, percent } from '@/lib/format'
import { TimeChart } from '@/ui/time-chart'
import { latestOf, type Metric, type Series } from '../model'
import css from './telemetry.module.css'

interface MetricChartProps {
  metric: Metric
  series: Series
  from: number
  to: number
}

const COLORS: Record<Metric, string> = { cpu_percent: '--chart-1', memory_percent: '--chart-2' }

/** One percentage over time; its head shows the latest value, or the one under the cursor with its time. */
export function MetricChart({ metric, series, from, to }: MetricChartProps) {
  const { t, i18n } = useTranslation()
  const [hover, setHover] = useState<number | null>(null)
  const name = t(`telemetry.${metric}`)
  const values = series.values[metric]
  const latest = latestOf(series, metric)
  const hovered = hover === null ? null : (values[hover] ?? null)
  const shown = hovered ?? latest
  const at = hovered !== null && hover !== null ? series.time[hover] : undefined
  const reading = shown === null ? '–' : percent(shown, i18n.language)
  return (
    <figure className={css.chart}>
      <figcaption className={css.caption}>
        <span className={css.name}>
          <i style={{ background: `var(${COLORS[metric]})` }} />
          {name}
        </span>
        <span className={css.value}>{reading}</span>
        {at !== undefined && (
          <span className="quiet">{exact(new Date(at * 1000).toISOString(), i18n.language)}</span>
        )}
      </figcaption>
      <TimeChart
        time={series.time}
        values={values}
        from={from}
        to={to}
        min={0}
        max={100}
        format={(value) => percent(value, i18n.language, 0)}
        color={COLORS[metric]}
        label={t('telemetry.chartLabel', {
          name,
          value: latest === null ? '–' : percent(latest, i18n.language),
        })}
        sync="device-metrics"
        onHover={setHover}
      />
    </figure>
  )
}
