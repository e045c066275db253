import type { MetricsDocument as Metrics } from '@/api/generated'
import type { LiveSample } from '@/lib/live'

export type { Metrics }

/** The windows that end now, and how far apart their points are: about 360 points each. Seconds. */
export const RANGES = {
  '15m': { length: 900, step: 10 },
  '1h': { length: 3_600, step: 10 },
  '6h': { length: 21_600, step: 60 },
  '24h': { length: 86_400, step: 300 },
  '7d': { length: 604_800, step: 1_800 },
  '30d': { length: 2_592_000, step: 7_200 },
} as const
export type Range = keyof typeof RANGES
export const isRange = (value: unknown): value is Range =>
  typeof value === 'string' && value in RANGES

/** What is looked at; all of it stands in the address. */
export interface MetricsView {
  range?: Range
  /** A window that stands still, epoch seconds; it wins over `range`. */
  from?: number
  to?: number
  /** Names separated by commas; absent: the usual ones. */
  metric?: string
  /** Another device, drawn beside. */
  device?: string
  /** The same device so many seconds earlier, drawn beside. */
  earlier?: number
  aggregate?: Aggregate
}

/** What a value of a chart stands for: a sample, or one taken together. */
export type Resolution = 'raw' | '1m' | '1h' | '1d'

export const AGGREGATES = ['avg', 'min', 'max'] as const
export type Aggregate = (typeof AGGREGATES)[number]

export const USUAL_METRICS = ['cpu_percent', 'memory_percent'] as const
export const metricsOf = ({ metric }: MetricsView): readonly string[] =>
  metric ? metric.split(',').filter(Boolean) : USUAL_METRICS

/** Metrics the console has words for. */
export const NAMED_METRICS = [
  'cpu_percent',
  'memory_percent',
  'memory_used_bytes',
  'memory_available_bytes',
  'swap_used_bytes',
  'temperature_celsius',
  'load_1',
  'load_5',
  'load_15',
  'uptime_seconds',
] as const
export type NamedMetric = (typeof NAMED_METRICS)[number]
export const isNamed = (name: string): name is NamedMetric =>
  NAMED_METRICS.includes(name as NamedMetric)

export type Unit = 'percent' | 'bytes' | 'celsius' | 'seconds' | 'number'
const UNITS: [suffix: string, unit: Unit][] = [
  ['_percent', 'percent'],
  ['_bytes', 'bytes'],
  ['_celsius', 'celsius'],
  ['_seconds', 'seconds'],
]
export const unitOf = (metric: string): Unit =>
  UNITS.find(([suffix]) => metric.endsWith(suffix))?.[1] ?? 'number'

/** Steps that the server has rollups for or that divide them. Seconds. */
const STEPS = [10, 30, 60, 300, 900, 1_800, 3_600, 7_200, 21_600, 86_400]
const POINTS = 360

/** The step that gives a window about as many points as a chart has room for. */
export const stepFor = (length: number): number =>
  STEPS.find((step) => length / step <= POINTS) ?? 86_400

export interface Series {
  time: number[]
  values: Record<string, (number | null)[]>
}

export interface Point {
  at: number
  values: Record<string, number | null>
}

const CUSTOM = 'custom.'

/** A live sample reduced to what is drawn; null when its time cannot be read. */
export function pointOf(sample: LiveSample, metrics: readonly string[]): Point | null {
  const at = Date.parse(sample.time) / 1000
  if (!Number.isFinite(at)) return null
  const custom = (sample.custom ?? {}) as Record<string, unknown>
  const read = (metric: string) => {
    const value = sample[metric] ?? custom[metric.replace(CUSTOM, '')]
    return typeof value === 'number' ? value : null
  }
  return { at, values: Object.fromEntries(metrics.map((metric) => [metric, read(metric)])) }
}

/**
 * History and what streamed since, as one rising series. Live points come every few seconds while history comes in
 * steps, so live ones are kept only where history has not reached yet. A silence longer than `gap` seconds is drawn as
 * one: a line across it would claim measurements that nobody made.
 */
export function joinSeries(
  history: Pick<Metrics, 'metrics'> | undefined,
  live: readonly Point[],
  gap: number,
  metrics: readonly string[],
): Series {
  const joined: Series = {
    time: [],
    values: Object.fromEntries(metrics.map((metric) => [metric, []])),
  }
  const push = (at: number, values: Record<string, number | null>) => {
    const last = joined.time.at(-1)
    if (last !== undefined && at <= last) return
    if (last !== undefined && at - last > gap) {
      joined.time.push(last + gap / 2)
      for (const metric of metrics) joined.values[metric]?.push(null)
    }
    joined.time.push(at)
    for (const metric of metrics) joined.values[metric]?.push(values[metric] ?? null)
  }
  const times = history?.metrics.time ?? []
  times.forEach((at, index) => {
    const values = Object.fromEntries(
      metrics.map((metric) => [metric, history?.metrics[metric]?.[index] ?? null]),
    )
    // A step without a measurement is an absence, not a point.
    if (at !== null && Object.values(values).some((value) => value !== null)) push(at, values)
  })
  for (const point of live) push(point.at, point.values)
  return joined
}

/** A series moved to another place in time, to lie over a later one. */
export const shifted = (series: Series, seconds: number): Series => ({
  ...series,
  time: series.time.map((at) => at + seconds),
})

export const latestOf = (values: readonly (number | null)[] | undefined): number | null =>
  values?.findLast((value) => value !== null) ?? null
