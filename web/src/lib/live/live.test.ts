import { QueryClient } from '@tanstack/react-query'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { api, HttpResponse, http, server } from '@/testing/server'
import { fakeSockets } from '@/testing/sockets'
import { createInvalidator, stalePaths } from './invalidate'
import { backoff, LiveSocket } from './socket'

let sockets: ReturnType<typeof fakeSockets>
beforeEach(() => {
  sockets = fakeSockets()
  server.use(
    http.post(api('/live/ticket'), () => HttpResponse.json({ ticket: 'a b', expires_in: 30 })),
  )
})
afterEach(() => vi.useRealTimers())

it('opens with a ticket, reconnects by itself, and asks for everything again after a gap', async () => {
  const resumed = vi.fn()
  const changed = vi.fn()
  const live = new LiveSocket({ changed, resumed })
  const sample = vi.fn()
  live.subscribe('devices/dev_one/metrics', sample)
  live.start()
  await vi.waitFor(() => expect(sockets.all()).toHaveLength(1))
  expect(sockets.latest()?.url).toContain('/live?ticket=a%20b')
  sockets.latest()?.open()
  expect(live.getState()).toBe('live')
  expect(sockets.latest()?.sent).toEqual([{ subscribe: ['devices/dev_one/metrics'] }])
  sockets.latest()?.say({ changed: ['devices/dev_one'] })
  sockets.latest()?.say({ sample: { device_id: 'dev_one', time: 'x' } })
  sockets.latest()?.say({ sample: { device_id: 'dev_two', time: 'x' } })
  expect(changed).toHaveBeenCalledWith(['devices/dev_one'])
  expect(sample).toHaveBeenCalledTimes(1)
  expect(resumed).not.toHaveBeenCalled()

  sockets.latest()?.close()
  expect(live.getState()).toBe('reconnecting')
  await vi.waitFor(() => expect(sockets.all()).toHaveLength(2), 3_000)
  sockets.latest()?.open()
  expect(resumed).toHaveBeenCalledTimes(1)
  expect(sockets.latest()?.sent).toEqual([{ subscribe: ['devices/dev_one/metrics'] }])
  live.stop()
})

it('waits longer and longer, at random, up to a ceiling', () => {
  expect(backoff(0, () => 1)).toBe(500)
  expect(backoff(3, () => 1)).toBe(4_000)
  expect(backoff(30, () => 1)).toBe(20_000)
  expect(backoff(30, () => 0)).toBe(200)
})

it('makes stale what changed and the list it is in, nothing else', async () => {
  expect([...stalePaths(['devices/dev_one/shadow', 'commands/cmd_1'])]).toEqual([
    'devices/dev_one/shadow',
    'commands/cmd_1',
    'commands',
  ])
  vi.useFakeTimers()
  const client = new QueryClient()
  for (const key of [
    ['devices', 1],
    ['devices/dev_one'],
    ['devices/dev_one/shadow'],
    ['devices/dev_two'],
  ]) {
    client.setQueryData(key, 1)
  }
  createInvalidator(client)(['devices/dev_one'])
  const stale = (key: unknown[]) => client.getQueryState(key)?.isInvalidated
  await vi.advanceTimersByTimeAsync(100)
  expect(stale(['devices/dev_one'])).toBe(true)
  expect(stale(['devices', 1])).toBe(false)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(stale(['devices', 1])).toBe(true)
  expect(stale(['devices/dev_one/shadow'])).toBe(false)
  expect(stale(['devices/dev_two'])).toBe(false)
})
