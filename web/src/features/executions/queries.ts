import { queryOptions } from '@tanstack/react-query'
import { getExecution, listExecutions } from '@/api/generated'
import { type CursorPage, cursorQuery } from '@/lib/cursor'
import type { Execution, ExecutionDetail, ExecutionFilters } from './model'

export const executionListQuery = (deviceId: string, filters: ExecutionFilters) =>
  cursorQuery(
    [`devices/${deviceId}/executions`, filters],
    async ({ query, signal }) =>
      (
        await listExecutions({
          path: { device_id: deviceId },
          query: { ...query, ...filters },
          signal,
          throwOnError: true,
        })
      ).data as CursorPage<Execution>,
  )

export const executionQuery = (deviceId: string, executionId: string) =>
  queryOptions({
    queryKey: [`devices/${deviceId}/executions`, executionId],
    queryFn: async ({ signal }) =>
      (
        await getExecution({
          path: { device_id: deviceId, execution_id: executionId },
          signal,
          throwOnError: true,
        })
      ).data as ExecutionDetail,
  })
