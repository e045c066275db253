import { Button } from '@mantine/core'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { TelemetryDocument } from '@/api/generated'
import { exact } from '@/lib/format'
import { type Hover, TimeChart } from '@/ui/time-chart'
import { latestOf, unitOf } from '../model'
import { useWords } from '../useWords'
import css from './telemetry.module.css'

interface ManyChartProps {
  answer: TelemetryDocument
  metric: string
  from: number
  to: number
  onZoom: (from: number, to: number) => void
}

const COLORS = 8
const colorOf = (index: number) => `--chart-${(index % COLORS) + 1}`

/** A line for each series. The legend has their values, under the cursor or the latest, and puts lines away. */
export function ManyChart({ answer, metric, from, to, onZoom }: ManyChartProps) {
  const { t, i18n } = useTranslation()
  const { nameOf, show } = useWords()
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set())
  const [hover, setHover] = useState<Hover | null>(null)
  const counted = answer.aggregate === 'count'
  const shown = useMemo(
    () =>
      answer.series
        .map((series, index) => ({ ...series, color: colorOf(index) }))
        .filter(({ key }) => !hidden.has(key)),
    [answer.series, hidden],
  )
  const lines = useMemo(
    () =>
      shown.map(({ values, color }) => ({
        time: answer.time,
        values,
        color,
        bare: shown.length > 1,
      })),
    [shown, answer.time],
  )
  const labelOf = ({ key, label }: { key: string; label: string }) =>
    answer.group_by === 'none'
      ? t('compare.together')
      : label || key || t(answer.group_by === 'tag' ? 'compare.noTag' : 'compare.noGroup')
  const reading = (value: number | null | undefined) =>
    value === null || value === undefined
      ? '–'
      : counted
        ? value.toLocaleString(i18n.language)
        : show(metric, value)
  const toggle = (key: string) => {
    const next = new Set(hidden)
    if (!next.delete(key)) next.add(key)
    setHidden(next)
  }
  const whole = unitOf(metric) === 'percent' && answer.aggregate !== 'sum' && !counted
  return (
    <>
      {lines.length > 0 && (
        <TimeChart
          lines={lines}
          from={from}
          to={to}
          {...(whole ? { min: 0, max: 100 } : {})}
          format={(value) => (counted ? String(Math.round(value)) : show(metric, value, 0))}
          label={t('compare.chartLabel', { name: nameOf(metric), count: lines.length })}
          height={320}
          onHover={setHover}
          onZoom={onZoom}
        />
      )}
      <div className={css.meta} style={{ margin: '10px 0 0' }}>
        <span>{hover ? exact(new Date(hover.at * 1000).toISOString(), i18n.language) : ' '}</span>
        {hidden.size > 0 && (
          <Button size="compact-xs" variant="default" onClick={() => setHidden(new Set())}>
            {t('compare.all')}
          </Button>
        )}
      </div>
      <ul className={css.legend} aria-label={t('compare.lines')}>
        {answer.series.map((series, index) => {
          const place = shown.findIndex(({ key }) => key === series.key)
          const value = hover && place >= 0 ? hover.values[place] : latestOf(series.values)
          return (
            <li key={series.key}>
              <button
                type="button"
                aria-pressed={!hidden.has(series.key)}
                onClick={() => toggle(series.key)}
              >
                <i style={{ background: `var(${colorOf(index)})` }} />
                <span title={labelOf(series)}>{labelOf(series)}</span> <span>{reading(value)}</span>
              </button>
            </li>
          )
        })}
      </ul>
    </>
  )
}
