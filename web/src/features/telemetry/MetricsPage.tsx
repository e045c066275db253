import { MultiSelect, Select, Skeleton } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconActivity } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { deviceQuery, deviceSearchQuery } from '@/features/devices'
import { useNow } from '@/lib/useNow'
import { Blank, Failed, Note, Panel, Refused } from '@/ui'
import {
  AGGREGATES,
  type Aggregate,
  type MetricsView,
  metricsOf,
  RANGES,
  shifted,
  stepFor,
  USUAL_METRICS,
} from './model'
import { Happenings, toneOf } from './parts/Happenings'
import { MetricChart } from './parts/MetricChart'
import { RangePicker, WindowNote } from './parts/TimeWindow'
import css from './parts/telemetry.module.css'
import { marksQuery, metricNamesQuery, type Window } from './queries'
import { useSeries } from './useSeries'
import { useWords } from './useWords'

interface MetricsPageProps {
  deviceId: string
  view: MetricsView
  onView: (view: MetricsView) => void
}

/** The window of a view: one that ends now, or one that stands still. */
function windowOf({ range = '1h', from, to }: MetricsView): Window['at'] {
  return from !== undefined && to !== undefined && to > from
    ? { from, to, step: stepFor(to - from) }
    : range
}

/** Everything a device measured, now and then, alone or beside another. */
export function MetricsPage({ deviceId, view, onView }: MetricsPageProps) {
  const { t } = useTranslation()
  const metrics = metricsOf(view)
  const at = windowOf(view)
  const still = typeof at !== 'string'
  const aggregate = view.aggregate ?? 'avg'
  const { history, series } = useSeries({ deviceId, metrics, at, aggregate })
  const now = useNow((ms) => Math.floor(ms / 2000) * 2)
  const from = still ? at.from : now - RANGES[at].length
  const to = still ? at.to : now
  const other = useOther(view, deviceId, { metrics, at, aggregate, from, to })
  const marks = useQuery(marksQuery(deviceId, at))
  const drawn = useMemo(
    () => marks.data?.map((e) => ({ at: Date.parse(e.time) / 1000, tone: toneOf(e.level) })),
    [marks.data],
  )
  const zoom = (start: number, end: number) =>
    onView({ ...view, from: Math.floor(start), to: Math.ceil(end) })
  const empty = series.time.length === 0
  return (
    <>
      <Controls deviceId={deviceId} view={view} onView={onView} />
      <WindowNote
        view={view}
        onView={onView}
        still={still ? at : undefined}
        answer={history.data}
      />
      {other.error != null && <Refused error={other.error} />}
      <div className={css.charts}>
        {history.isPending ? (
          metrics.map((metric) => <Skeleton key={metric} height={230} />)
        ) : history.isError && empty ? (
          <Failed error={history.error} onRetry={() => void history.refetch()} />
        ) : (
          <>
            {history.isError && <Note tone="wait">{t('telemetry.old')}</Note>}
            {empty && (
              <Blank icon={<IconActivity size={22} stroke={1.6} />} title={t('telemetry.none')}>
                {t(still ? 'telemetry.noneThen' : 'telemetry.noneHint')}
              </Blank>
            )}
            {!empty &&
              metrics.map((metric, index) => (
                <Panel key={metric}>
                  <MetricChart
                    metric={metric}
                    series={series}
                    color={index % 2 === 0 ? '--chart-1' : '--chart-2'}
                    other={other.drawn}
                    {...(drawn ? { marks: drawn } : {})}
                    from={from}
                    to={to}
                    height={200}
                    onZoom={zoom}
                  />
                </Panel>
              ))}
          </>
        )}
      </div>
      <Happenings deviceId={deviceId} query={marks} />
    </>
  )
}

interface Asked extends Omit<Window, 'deviceId'> {
  from: number
  to: number
}

/** What is drawn beside: another device, or this one some time ago. */
function useOther({ device, earlier = 0 }: MetricsView, deviceId: string, asked: Asked) {
  const { t } = useTranslation()
  const { from, to, aggregate, metrics, at } = asked
  const wanted = device !== undefined || earlier > 0
  const id = device ?? deviceId
  const then = { from: from - earlier, to: to - earlier, step: stepFor(to - from) }
  // A window in the past that moved with every tick would be read with every tick.
  const length = to - from
  const grid = Math.max(60, Math.floor(length / 60))
  const steady = {
    ...then,
    from: Math.floor(then.from / grid) * grid,
    to: Math.ceil(then.to / grid) * grid,
  }
  const { history, series } = useSeries({
    deviceId: id,
    metrics: wanted ? metrics : [],
    at: earlier > 0 ? steady : at,
    ...(aggregate ? { aggregate } : {}),
    enabled: wanted,
  })
  const { data: named } = useQuery({ ...deviceQuery(id), enabled: device !== undefined })
  const name =
    device === undefined
      ? t('telemetry.earlier', { before: t(`telemetry.before.${earlierName(earlier)}`) })
      : named?.name || device
  const moved = useMemo(() => shifted(series, earlier), [series, earlier])
  return {
    error: wanted ? history.error : null,
    drawn: wanted && series.time.length > 0 ? { series: moved, name } : null,
  }
}

const EARLIER = { hour: 3_600, day: 86_400, week: 604_800 } as const
type Earlier = keyof typeof EARLIER
const earlierName = (seconds: number): Earlier =>
  (Object.keys(EARLIER) as Earlier[]).find((name) => EARLIER[name] === seconds) ?? 'day'

function Controls({ deviceId, view, onView }: MetricsPageProps) {
  const { t } = useTranslation()
  const { nameOf } = useWords()
  const names = useQuery(metricNamesQuery(deviceId))
  const [typed, setTyped] = useState('')
  const [search] = useDebouncedValue(typed, 200)
  const found = useQuery(deviceSearchQuery(search))
  const chosen = metricsOf(view)
  const known = [...new Set([...chosen, ...(names.data?.map(({ name }) => name) ?? [])])]
  const beside = view.device ?? (view.earlier ? `earlier:${earlierName(view.earlier)}` : null)
  const compare = (value: string | null) => {
    const { device: _device, earlier: _earlier, ...rest } = view
    if (!value) return onView(rest)
    const [kind, name] = value.split(':')
    return onView(
      kind === 'earlier'
        ? { ...rest, earlier: EARLIER[name as Earlier] }
        : { ...rest, device: value },
    )
  }
  return (
    <div className={css.controls}>
      <RangePicker view={view} onView={onView} />
      <MultiSelect
        className={css.grow}
        aria-label={t('telemetry.metrics')}
        placeholder={chosen.length < 3 ? t('telemetry.metrics') : ''}
        data={known.map((value) => ({ value, label: nameOf(value) }))}
        value={[...chosen]}
        onChange={(next) => {
          const { metric: _metric, ...rest } = view
          const usual = next.join() === USUAL_METRICS.join() || next.length === 0
          onView(usual ? rest : { ...rest, metric: next.join() })
        }}
        searchable
        maxValues={8}
        error={names.isError ? t('telemetry.noNames') : undefined}
      />
      <Select
        aria-label={t('telemetry.aggregate')}
        w={130}
        data={AGGREGATES.map((value) => ({ value, label: t(`telemetry.aggregates.${value}`) }))}
        value={view.aggregate ?? 'avg'}
        allowDeselect={false}
        onChange={(value) => {
          const { aggregate: _aggregate, ...rest } = view
          onView(value === 'avg' || !value ? rest : { ...rest, aggregate: value as Aggregate })
        }}
      />
      <Select
        aria-label={t('telemetry.compare')}
        placeholder={t('telemetry.compare')}
        w={220}
        clearable
        searchable
        searchValue={typed}
        onSearchChange={setTyped}
        value={beside}
        onChange={compare}
        filter={({ options }) => options}
        data={[
          {
            group: t('telemetry.period'),
            items: (Object.keys(EARLIER) as Earlier[]).map((name) => ({
              value: `earlier:${name}`,
              label: t('telemetry.earlier', { before: t(`telemetry.before.${name}`) }),
            })),
          },
          {
            group: t('devices.title'),
            items: (found.data ?? [])
              .filter(({ device_id }) => device_id !== deviceId)
              .map(({ device_id, name }) => ({ value: device_id, label: name || device_id })),
          },
        ]}
      />
    </div>
  )
}
