import { QueryClient } from '@tanstack/react-query'
import { ApiProblem } from '@/lib/problem'

const TRIES = 2

/** A refusal stays a refusal; a server that is away or broken is asked again. */
const worthRetrying = (failures: number, error: unknown): boolean =>
  failures < TRIES && error instanceof ApiProblem && (error.unreachable || error.status >= 500)

export const createQueryClient = (): QueryClient =>
  new QueryClient({
    defaultOptions: {
      queries: {
        // The live socket says what has become stale; this covers what it does not speak of.
        staleTime: 30_000,
        retry: worthRetrying,
        // A console on an isolated network is "offline" to the browser and works all the same.
        networkMode: 'always',
      },
      mutations: { networkMode: 'always' },
    },
  })
