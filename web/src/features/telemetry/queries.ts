import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import { getDeviceMetrics } from '@/api/generated'
import { METRICS, RANGES, type Range } from './model'

export const metricsQuery = (deviceId: string, range: Range) =>
  queryOptions({
    queryKey: [`devices/${deviceId}/metrics`, range],
    queryFn: async ({ signal }) => {
      const { length, step } = RANGES[range]
      const now = Date.now()
      const { data } = await getDeviceMetrics({
        path: { device_id: deviceId },
        query: {
          metric: METRICS.join(','),
          from: new Date(now - length * 1000).toISOString(),
          to: new Date(now).toISOString(),
          step,
        },
        signal,
        throwOnError: true,
      })
      return data
    },
    placeholderData: keepPreviousData,
  })
