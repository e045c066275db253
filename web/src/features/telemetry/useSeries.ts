import { useQuery } from '@tanstack/react-query'
import { useEffect, useMemo, useState } from 'react'
import { useLiveSamples, usePollWhenNotLive } from '@/lib/live'
import { joinSeries, type Point, pointOf } from './model'
import { boundsOf, metricsQuery, type Window } from './queries'

/** Live points kept in memory: at one every second, the shortest window. */
const LIVE_KEPT = 900
/** Three missed measurements of the agent's ten seconds. */
const SILENCE_S = 35

/** The chosen window from the store, and if it ends now, every sample since as the device sends it. */
export function useSeries(window: Window & { enabled?: boolean }) {
  const { deviceId, metrics, at, enabled = true } = window
  const moves = typeof at === 'string'
  const poll = usePollWhenNotLive(15_000)
  const history = useQuery({
    ...metricsQuery(window),
    enabled,
    refetchInterval: moves && (poll || 120_000),
  })
  const [live, setLive] = useState<Point[]>([])
  const names = metrics.join()
  // biome-ignore lint/correctness/useExhaustiveDependencies: another device, or other numbers, start with none
  useEffect(() => setLive([]), [deviceId, names])
  useLiveSamples(deviceId, (sample) => {
    const point = enabled && moves ? pointOf(sample, metrics) : null
    if (point) setLive((points) => [...points.slice(-LIVE_KEPT), point])
  })
  const { step } = boundsOf(at)
  const series = useMemo(
    () =>
      joinSeries(history.data, moves ? live : [], Math.max(step * 3, SILENCE_S), names.split(',')),
    [history.data, moves, live, step, names],
  )
  return { history, series }
}
