import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import {
  getDeviceMetrics,
  listDeviceEvents,
  listMetricNames,
  queryTelemetry,
} from '@/api/generated'
import { bodyOf, type CompareView } from './compare'
import { type Aggregate, RANGES, type Range } from './model'

export interface Window {
  deviceId: string
  metrics: readonly string[]
  /** A window that ends now, or one that stands still (epoch seconds). */
  at: Range | { from: number; to: number; step: number }
  aggregate?: Aggregate
}

/** The bounds of a window at this moment. */
export function boundsOf(at: Window['at']): { from: number; to: number; step: number } {
  if (typeof at !== 'string') return at
  const to = Date.now() / 1000
  return { from: to - RANGES[at].length, to, step: RANGES[at].step }
}

const iso = (seconds: number) => new Date(seconds * 1000).toISOString()

export const metricsQuery = ({ deviceId, metrics, at, aggregate }: Window) =>
  queryOptions({
    queryKey: [`devices/${deviceId}/metrics`, metrics, at, aggregate ?? 'avg'],
    queryFn: async ({ signal }) => {
      const { from, to, step } = boundsOf(at)
      return (
        await getDeviceMetrics({
          path: { device_id: deviceId },
          query: {
            metric: metrics.join(','),
            from: iso(from),
            to: iso(to),
            step,
            ...(aggregate ? { aggregate } : {}),
          },
          signal,
          throwOnError: true,
        })
      ).data
    },
    placeholderData: keepPreviousData,
  })

/** What the device measures: the system's numbers and its own. */
export const metricNamesQuery = (deviceId: string) =>
  queryOptions({
    queryKey: [`devices/${deviceId}/metrics`, 'names'],
    queryFn: async ({ signal }) =>
      (await listMetricNames({ path: { device_id: deviceId }, signal, throwOnError: true })).data
        .items,
    staleTime: 60_000,
  })

/** What happened on the device in a window: drawn as marks. The newest hundred. */
export const marksQuery = (deviceId: string, at: Window['at']) =>
  queryOptions({
    queryKey: [`devices/${deviceId}/events`, 'marks', at],
    queryFn: async ({ signal }) => {
      const { from, to } = boundsOf(at)
      return (
        await listDeviceEvents({
          path: { device_id: deviceId },
          query: { from: iso(from), to: iso(to), limit: 100 },
          signal,
          throwOnError: true,
        })
      ).data.items
    },
    placeholderData: keepPreviousData,
  })

/** One metric of many devices over a window. */
export const compareQuery = (view: CompareView, at: Window['at']) =>
  queryOptions({
    queryKey: ['telemetry', view, at],
    queryFn: async ({ signal }) =>
      (await queryTelemetry({ body: bodyOf(view, boundsOf(at)), signal, throwOnError: true })).data,
  })
