import type { AnyRouter } from '@tanstack/react-router'

interface SavingConnection {
  saveData?: boolean
}

/** Long enough for the first page to have asked for its data. */
const AFTER_MS = 1_500

/**
 * Fetches the rest of the console while nobody waits, after the first page stands: pages then open at once, and go on
 * opening while the server is away, when they say so and wait for it instead of failing to load.
 * Returns what calls it off.
 */
export function warmUp(router: AnyRouter): () => void {
  const connection = (navigator as Navigator & { connection?: SavingConnection }).connection
  if (connection?.saveData) return () => undefined
  const timer = setTimeout(() => {
    const parts = [
      ...Object.values(router.routesById).map((route) => router.loadRouteChunk(route)),
      import('@/ui/time-chart/TimeChart'),
      import('@/ui/json-editor/JsonEditor'),
      import('@/ui/json-editor/JsonDiff'),
      import('./CommandPalette'),
    ]
    // What did not come is asked for again when it is needed.
    void Promise.allSettled(parts)
  }, AFTER_MS)
  return () => clearTimeout(timer)
}
