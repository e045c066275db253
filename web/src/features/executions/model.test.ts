import { expect, it } from 'vitest'
import { barsOf, ranSeconds } from './model'

const node = (node_id: string, started_at: string, duration_ms: number) => ({
  node_id,
  status: 'succeeded' as const,
  started_at,
  duration_ms,
  messages_in: 1,
  messages_out: 1,
})

it('lays nodes out on one time axis', () => {
  const bars = barsOf([
    node('late', '2026-11-24T10:00:00.300Z', 100),
    node('first', '2026-11-24T10:00:00Z', 300),
  ])
  expect(bars.map(({ node, left, width }) => [node.node_id, left, width])).toEqual([
    ['first', 0, 0.75],
    ['late', 0.75, 0.25],
  ])
  expect(barsOf([node('only', '2026-11-24T10:00:00Z', 0)])[0]).toMatchObject({ left: 0, width: 0 })
})

it('knows how long it ran only once it ended', () => {
  const run = {
    execution_id: 'exec_1',
    device_id: 'dev_1',
    flow_id: 'f',
    status: 'succeeded' as const,
    started_at: '2026-11-24T10:00:00Z',
    finished_at: '2026-11-24T10:00:02.500Z',
  }
  expect(ranSeconds(run as never)).toBe(2.5)
  expect(ranSeconds({ ...run, finished_at: null } as never)).toBeUndefined()
})
