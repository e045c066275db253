import { useSyncExternalStore } from 'react'

// One clock for the page: a hundred relative times tick together, in one render, and stand still while hidden.
const TICK_MS = 1_000
let now = Date.now()
let timer: ReturnType<typeof setInterval> | undefined
const watchers = new Set<() => void>()

function watch(watcher: () => void): () => void {
  if (watchers.size === 0) now = Date.now()
  watchers.add(watcher)
  timer ??= setInterval(() => {
    if (document.hidden) return
    now = Date.now()
    for (const each of watchers) each()
  }, TICK_MS)
  return () => {
    watchers.delete(watcher)
    if (watchers.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
}

/**
 * The value of `read(now)`, read again each second; renders only when that value changes.
 */
export function useNow<T extends string | number>(read: (now: number) => T): T {
  return useSyncExternalStore(watch, () => read(now))
}
