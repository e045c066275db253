import { listDeviceLogs } from '@/api/generated'
import { type CursorPage, cursorQuery } from '@/lib/cursor'
import type { LogFilters, LogLine } from './model'

/** The log, newest first. */
export const logQuery = (deviceId: string, filters: LogFilters) =>
  cursorQuery(
    [`devices/${deviceId}/logs`, filters],
    async ({ query, signal }) =>
      (
        await listDeviceLogs({
          path: { device_id: deviceId },
          query: { ...query, ...filters },
          signal,
          throwOnError: true,
        })
      ).data as CursorPage<LogLine>,
  )
