import {
  keepPreviousData,
  type QueryClient,
  queryOptions,
  useMutation,
  useQueries,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query'
import {
  deleteDevice,
  getDevice,
  listDevices,
  type TagDevices,
  type TargetBody,
  tagDevices,
  type UpdateDevice,
  updateDevice,
} from '@/api/generated'
import { type Device, type DeviceFilters, isFiltered, PAGE_SIZE, pagesOf } from './model'
import type { Selection } from './selection'

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

/** Devices that one change may name; the server takes no more. */
export const MOST_AT_ONCE = 1_000
const IDS_A_PAGE = 200

/** The ids of all that the filters match, as far as one change may name them. */
const matchingIdsQuery = (filters: DeviceFilters) =>
  queryOptions({
    queryKey: ['devices', 'ids', filters],
    queryFn: async ({ signal }) => {
      const ids: string[] = []
      let cursor: string | null | undefined
      do {
        const { data } = await listDevices({
          query: { ...filters, limit: IDS_A_PAGE, ...(cursor ? { cursor } : {}) },
          signal,
          throwOnError: true,
        })
        ids.push(...data.items.map(({ device_id }) => device_id))
        cursor = data.next_cursor
      } while (cursor && ids.length <= MOST_AT_ONCE)
      return ids
    },
  })

export interface PickedTarget {
  /** Undefined while it is being read, or when it cannot be named. */
  target: TargetBody | undefined
  tooMany: boolean
  error: unknown
}

/** What is picked as a change names it: all there are, or each by its id. */
export function useTarget(selection: Selection, filters: DeviceFilters): PickedTarget {
  const { all, ids } = selection
  const whole = all && ids.size === 0 && !isFiltered(filters)
  const matching = useQuery({ ...matchingIdsQuery(filters), enabled: all && !whole })
  if (whole) return { target: { all: true }, tooMany: false, error: null }
  const named = all ? matching.data?.filter((id) => !ids.has(id)) : [...ids]
  const tooMany = named !== undefined && named.length > MOST_AT_ONCE
  return {
    target: named && !tooMany ? { device_ids: named } : undefined,
    tooMany,
    error: matching.error,
  }
}
