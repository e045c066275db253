import { queryOptions } from '@tanstack/react-query'
import { getInstance } from '@/api/generated'

/** What the server says about itself before anybody has signed in. */
export const instanceQuery = queryOptions({
  queryKey: ['instance'],
  queryFn: async ({ signal }) => (await getInstance({ signal, throwOnError: true })).data,
  staleTime: 5 * 60_000,
})
