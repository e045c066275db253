import {
  keepPreviousData,
  type QueryClient,
  queryOptions,
  useMutation,
  useQueries,
  useQueryClient,
} from '@tanstack/react-query'
import { idempotencyKey } from '@/api/client'
import {
  checkQuery,
  createSearch,
  deleteDevice,
  deleteSearch,
  explainDevice,
  getDevice,
  listDevices,
  listQueryFields,
  listSearches,
  rotateDeviceKey,
  type SaveSearch,
  type TagDevices,
  tagDevices,
  type UpdateDevice,
  unclaimDevice,
  updateDevice,
} from '@/api/generated'
import { type Device, type DeviceFilters, PAGE_SIZE, pagesOf } from './model'

export const deviceQuery = (deviceId: string) =>
  queryOptions({
    queryKey: [`devices/${deviceId}`],
    queryFn: async ({ signal }) =>
      (await getDevice({ path: { device_id: deviceId }, signal, throwOnError: true })).data,
  })

type PageKey = readonly ['devices', DeviceFilters, number]
type DevicePage = Awaited<ReturnType<typeof listDevices>>['data']

/**
 * One page of the list. Where the page before it is known, its cursor is followed: what scrolls by neither skips nor
 * repeats a row when devices come and go meanwhile. A jump into the middle goes by number of rows.
 */
export const devicePageQuery = (filters: DeviceFilters, page: number) =>
  queryOptions({
    queryKey: ['devices', filters, page] as PageKey,
    queryFn: async ({ signal, client }) => {
      const before = client.getQueryData<DevicePage>(['devices', filters, page - 1])
      const place = before?.next_cursor
        ? { cursor: before.next_cursor }
        : { offset: page * PAGE_SIZE }
      const { data } = await listDevices({
        query: { ...filters, limit: PAGE_SIZE, ...place },
        signal,
        throwOnError: true,
      })
      // Along a cursor the server does not count again; without its count the table would end at this page.
      return { ...data, total: data.total ?? before?.total ?? null }
    },
  })

export const deviceCountQuery = (filters: DeviceFilters) =>
  queryOptions({
    queryKey: ['devices', 'count', filters],
    queryFn: async ({ signal }) =>
      (await listDevices({ query: { ...filters, limit: 1 }, signal, throwOnError: true })).data
        .total ?? null,
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

/** The five devices that went away last. */
export const awayQuery = queryOptions({
  queryKey: ['devices', 'away'],
  queryFn: async ({ signal }) =>
    (
      await listDevices({
        query: { status: 'offline', sort: '-last_seen', limit: 5 },
        signal,
        throwOnError: true,
      })
    ).data.items.filter(({ last_seen_at }) => last_seen_at),
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
    mutationFn: async (change: UpdateDevice) =>
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

/** What may be asked about in the query language; the same for everybody until the server is another. */
export const queryFieldsQuery = queryOptions({
  queryKey: ['query-fields'],
  queryFn: async ({ signal }) => (await listQueryFields({ signal, throwOnError: true })).data.items,
  staleTime: 600_000,
})

/** Whether a query reads, where it does not, and how many devices it matches. */
export const queryCheckQuery = (q: string) =>
  queryOptions({
    queryKey: ['devices', 'check', q],
    queryFn: async ({ signal }) =>
      (await checkQuery({ body: { q }, signal, throwOnError: true })).data,
    placeholderData: keepPreviousData,
  })

export const savedSearchesQuery = queryOptions({
  queryKey: ['saved-searches'],
  queryFn: async ({ signal }) =>
    (await listSearches({ query: { limit: 200 }, signal, throwOnError: true })).data.items,
})

export function useSaveSearch() {
  const queryClient = useQueryClient()
  return useMutation({
    mutationFn: async (body: SaveSearch) =>
      (
        await createSearch({
          body,
          headers: { 'Idempotency-Key': idempotencyKey() },
          throwOnError: true,
        })
      ).data,
    onSuccess: () => queryClient.invalidateQueries({ queryKey: savedSearchesQuery.queryKey }),
  })
}

export function useDeleteSearch() {
  const queryClient = useQueryClient()
  return useMutation({
    mutationFn: async (searchId: string) => {
      await deleteSearch({ path: { search_id: searchId }, throwOnError: true })
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: savedSearchesQuery.queryKey }),
  })
}

const isOfDevices = (path: string) => path === 'devices' || path.startsWith('devices/')

/** Lists and single devices are stale after a change of many. */
export const forgetDevices = (queryClient: QueryClient) =>
  queryClient.invalidateQueries({ predicate: ({ queryKey }) => isOfDevices(String(queryKey[0])) })

/** What tagging would do: how many devices it reaches, and how many of them it changes. */
export const tagPreviewQuery = (change: TagDevices) =>
  queryOptions({
    queryKey: ['devices', 'tag-preview', change],
    queryFn: async ({ signal }) =>
      (await tagDevices({ query: { dry_run: true }, body: change, signal, throwOnError: true }))
        .data,
    placeholderData: keepPreviousData,
    staleTime: 0,
  })

export function useTagDevices() {
  const queryClient = useQueryClient()
  return useMutation({
    mutationFn: async (body: TagDevices) => (await tagDevices({ body, throwOnError: true })).data,
    onSuccess: () => forgetDevices(queryClient),
  })
}

/** Why the device is as it is. Its key lies below the device: whatever changes on it is a reason to ask again. */
export const explainQuery = (deviceId: string) =>
  queryOptions({
    queryKey: [`devices/${deviceId}`, 'explain'],
    queryFn: async ({ signal }) =>
      (await explainDevice({ path: { device_id: deviceId }, signal, throwOnError: true })).data
        .findings,
  })

export const useRotateKey = (deviceId: string) =>
  useMutation({
    mutationFn: async (overlapSeconds: number) =>
      (
        await rotateDeviceKey({
          path: { device_id: deviceId },
          body: { overlap_seconds: overlapSeconds },
          throwOnError: true,
        })
      ).data,
  })

export function useUnclaimDevice(deviceId: string) {
  const queryClient = useQueryClient()
  return useMutation({
    mutationFn: async () =>
      (await unclaimDevice({ path: { device_id: deviceId }, throwOnError: true })).data,
    gcTime: 0,
    onSuccess: () => forgetDevices(queryClient),
  })
}
