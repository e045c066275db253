import { infiniteQueryOptions } from '@tanstack/react-query'

/** One page of a list as the API answers it. */
export interface CursorPage<T> {
  items: T[]
  next_cursor?: string | null
  total?: number | null
}

const PAGE_SIZE = 100

interface Ask {
  query: { limit: number; cursor?: string }
  signal: AbortSignal
}

/** A list that is read page by page along its cursor. `path` is what was read: see `lib/live/invalidate`. */
export const cursorQuery = <T>(
  key: readonly [path: string, ...rest: unknown[]],
  read: (ask: Ask) => Promise<CursorPage<T>>,
) =>
  infiniteQueryOptions({
    queryKey: key,
    queryFn: ({ pageParam, signal }) =>
      read({ query: { limit: PAGE_SIZE, ...(pageParam ? { cursor: pageParam } : {}) }, signal }),
    initialPageParam: '',
    getNextPageParam: (page) => page.next_cursor,
    select: ({ pages }) => ({
      items: pages.flatMap((page) => page.items),
      total: pages[0]?.total ?? null,
    }),
  })
