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

/** Gathers changes for a moment: a fleet that comes back is hundreds of changes and should be one re-read of the list. */
export function createInvalidator(queryClient: QueryClient, quietMs = 200) {
  let waiting = new Set<string>()
  let timer: ReturnType<typeof setTimeout> | undefined
  const flush = () => {
    timer = undefined
    const stale = waiting
    waiting = new Set()
    void queryClient.invalidateQueries({
      predicate: (query) => stale.has(String(query.queryKey[0])),
    })
  }
  return (changed: readonly string[]) => {
    for (const path of stalePaths(changed)) waiting.add(path)
    timer ??= setTimeout(flush, quietMs)
  }
}
