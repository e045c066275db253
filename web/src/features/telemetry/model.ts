import type { MetricsDocument as Metrics } from '@/api/generated'
import type { LiveSample } from '@/lib/live'

export const METRICS = ['cpu_percent', 'memory_percent'] as const
export type Metric = (typeof METRICS)[number]

/** The windows to choose from, and how far apart their points are: about 360 points each. Seconds. */
export const RANGES = {
  '15m': { length: 900, step: 10 },
  '1h': { length: 3_600, step: 10 },
  '6h': { length: 21_600, step: 60 },
  '24h': { length: 86_400, step: 300 },
} as const
export type Range = keyof typeof RANGES
export const isRange = (value: unknown): value is Range =>
  typeof value === 'string' && value in RANGES

export interface Series {
  time: number[]
  values: Record<Metric, (number | null)[]>
}

const emptySeries = (): Series => ({ time: [], values: { cpu_percent: [], memory_percent: [] } })

/** A live sample reduced to what is drawn; null when its time cannot be read. */
export function pointOf(
  sample: LiveSample,
): { at: number; values: Record<Metric, number | null> } | null {
  const at = Date.parse(sample.time) / 1000
  if (!Number.isFinite(at)) return null
  const number = (value: unknown) => (typeof value === 'number' ? value : null)
  return {
    at,
    values: {
      cpu_percent: number(sample.cpu_percent),
      memory_percent: number(sample.memory_percent),
    },
  }
}

export type Point = NonNullable<ReturnType<typeof pointOf>>

/**
 * History and what streamed since, as one rising series. Live points come every few seconds while history comes in
 * steps, so live ones are kept only where history has not reached yet. A silence longer than `gap` seconds is drawn as
 * one: a line across it would claim measurements that nobody made.
 */
export function joinSeries(
  history: Metrics | undefined,
  live: readonly Point[],
  gap: number,
): Series {
  const joined = emptySeries()
  const push = (at: number, values: Record<Metric, number | null>) => {
    const last = joined.time.at(-1)
    if (last !== undefined && at <= last) return
    if (last !== undefined && at - last > gap) {
      joined.time.push(last + gap / 2)
      for (const metric of METRICS) joined.values[metric].push(null)
    }
    joined.time.push(at)
    for (const metric of METRICS) joined.values[metric].push(values[metric])
  }
  const times = history?.metrics.time ?? []
  times.forEach((at, index) => {
    const cpu = history?.metrics.cpu_percent?.[index] ?? null
    const memory = history?.metrics.memory_percent?.[index] ?? null
    // A step without a measurement is an absence, not a point.
    if (at !== null && (cpu !== null || memory !== null)) {
      push(at, { cpu_percent: cpu, memory_percent: memory })
    }
  })
  for (const point of live) push(point.at, point.values)
  return joined
}

export function latestOf(series: Series, metric: Metric): number | null {
  return series.values[metric].findLast((value) => value !== null) ?? null
}
