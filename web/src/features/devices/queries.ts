import {
  keepPreviousData,
  queryOptions,
  useMutation,
  useQueries,
  useQueryClient,
} from '@tanstack/react-query'
import { deleteDevice, getDevice, listDevices, updateDevice } from '@/api/generated'
import { type Device, type DeviceFilters, PAGE_SIZE, pagesOf } from './model'

export const deviceQuery = (deviceId: string) =>
  queryOptions({
    queryKey: [`devices/${deviceId}`],
    queryFn: async ({ signal }) =>
      (await getDevice({ path: { device_id: deviceId }, signal, throwOnError: true })).data,
  })

export const devicePageQuery = (filters: DeviceFilters, page: number) =>
  queryOptions({
    queryKey: ['devices', filters, page],
    queryFn: async ({ signal }) =>
      (
        await listDevices({
          query: { ...filters, limit: PAGE_SIZE, offset: page * PAGE_SIZE },
          signal,
          throwOnError: true,
        })
      ).data,
  })

export const deviceCountQuery = (status?: DeviceFilters['status']) =>
  queryOptions({
    queryKey: ['devices', 'count', status ?? 'all'],
    queryFn: async ({ signal }) =>
      (await listDevices({ query: { status, limit: 1 }, signal, throwOnError: true })).data.total ??
      null,
    placeholderData: keepPreviousData,
  })

export const deviceSearchQuery = (search: string) =>
  queryOptions({
    queryKey: ['devices', 'search', search],
    queryFn: async ({ signal }) =>
      (
        await listDevices({
          query: search ? { search, limit: 8 } : { limit: 4 },
          signal,
          throwOnError: true,
        })
      ).data.items,
    placeholderData: keepPreviousData,
  })

export interface DeviceWindow {
  /** How many devices the filters match, as far as known. */
  total: number | undefined
  at: (index: number) => Device | undefined
  loading: boolean
  /** The failure that left nothing to show. */
  error: unknown
  /** Some pages failed while others are shown. */
  partial: boolean
  retry: () => void
}

/** The devices around the rows on screen: only their pages are read, and only those are read again on a change. */
export function useDeviceWindow(filters: DeviceFilters, first: number, last: number): DeviceWindow {
  const pages = pagesOf(first, last)
  const results = useQueries({ queries: pages.map((page) => devicePageQuery(filters, page)) })
  const known = results.find((result) => result.data)?.data
  const failed = results.filter((result) => result.isError)
  const end = Math.max(
    0,
    ...results.map((result, index) =>
      result.data
        ? (pages[index] ?? 0) * PAGE_SIZE +
          result.data.items.length +
          (result.data.next_cursor ? PAGE_SIZE : 0)
        : 0,
    ),
  )
  return {
    total: known ? (known.total ?? end) : undefined,
    at: (index) => {
      const page = pages.indexOf(Math.floor(index / PAGE_SIZE))
      return results[page]?.data?.items[index % PAGE_SIZE]
    },
    loading: !known && failed.length === 0,
    error: known ? null : failed[0]?.error,
    partial: Boolean(known) && failed.length > 0,
    retry: () => {
      for (const result of failed) void result.refetch()
    },
  }
}

export function useUpdateDevice(device: Device) {
  const queryClient = useQueryClient()
  return useMutation({
    mutationFn: async (change: { name: string; tags: string[]; notes: string }) =>
      (
        await updateDevice({
          path: { device_id: device.device_id },
          body: change,
          // What was on screen is what the change was made on; if it moved on meanwhile, the server refuses.
          headers: { 'If-Match': `"${device.version}"` },
          throwOnError: true,
        })
      ).data,
    onSuccess: () =>
      queryClient.invalidateQueries({
        predicate: ({ queryKey }) =>
          queryKey[0] === 'devices' || queryKey[0] === `devices/${device.device_id}`,
      }),
  })
}

export function useDeleteDevice(deviceId: string) {
  const queryClient = useQueryClient()
  return useMutation({
    mutationFn: async () => {
      await deleteDevice({ path: { device_id: deviceId }, throwOnError: true })
    },
    onSuccess: () => {
      queryClient.removeQueries({
        predicate: ({ queryKey }) => String(queryKey[0]).startsWith(`devices/${deviceId}`),
      })
      return queryClient.invalidateQueries({ queryKey: ['devices'] })
    },
  })
}
