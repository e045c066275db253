import type { QueryClient } from '@tanstack/react-query'

/**
 * The rule that ties caches to the live socket: the first element of every query key is the path of what was read
 * (`['devices', filters]`, `['devices/dev_…/shadow']`), and a `changed` path makes exactly those stale.
 * A changed member also makes its collection stale, since lists show members.
 */
export function stalePaths(changed: readonly string[]): Set<string> {
  const stale = new Set<string>()
  for (const path of changed) {
    stale.add(path)
    const parts = path.split('/')
    if (parts.length % 2 === 0) stale.add(parts.slice(0, -1).join('/'))
  }
  return stale
}

/** `*`: the server could not keep up with telling; everything may have changed. */
const ALL = '*'
const QUICK_MS = 60
const LIST_MS = 1_000

/** Marks what is gathered stale after `delay` milliseconds of the first; one re-read then serves all of it. */
function createGatherer(queryClient: QueryClient, delay: number) {
  const waiting = new Set<string>()
  const flush = () => {
    const stale = new Set(waiting)
    waiting.clear()
    void queryClient.invalidateQueries({
      predicate: (query) => stale.has(ALL) || stale.has(String(query.queryKey[0])),
    })
  }
  return (path: string) => {
    if (waiting.size === 0) setTimeout(flush, delay)
    waiting.add(path)
  }
}

/**
 * What is on screen alone (a device, its shadow, a command) follows at once. Lists follow once a second: a fleet that
 * comes back is thousands of changes and should be a few re-reads.
 */
export function createInvalidator(queryClient: QueryClient) {
  const quick = createGatherer(queryClient, QUICK_MS)
  const list = createGatherer(queryClient, LIST_MS)
  return (changed: readonly string[]) => {
    for (const path of stalePaths(changed)) {
      if (path.includes('/')) quick(path)
      else list(path)
    }
  }
}
