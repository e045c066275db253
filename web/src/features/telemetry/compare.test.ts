import { expect, it } from 'vitest'
import { bodyOf, targetOf, viewOf, windowOf } from './compare'

it('takes picked devices before a query, and all devices where nothing is said', () => {
  expect(targetOf({ ids: 'dev_a,dev_b', q: 'status = online' })).toEqual({
    device_ids: ['dev_a', 'dev_b'],
  })
  expect(targetOf({ q: 'status = online' })).toEqual({ query: 'status = online' })
  expect(targetOf({})).toEqual({ all: true })
})

it('reads of an address what it understands', () => {
  const view = viewOf({
    ids: 'dev_a',
    group_by: 'planet',
    aggregate: 'sum',
    range: '6h',
    from: 'x',
  })
  expect(view).toEqual({ ids: 'dev_a', aggregate: 'sum', range: '6h' })
  expect(windowOf(view)).toBe('6h')
  expect(windowOf({ from: 1_000, to: 4_600 })).toEqual({ from: 1_000, to: 4_600, step: 10 })
})

it('asks for a line for each device unless told otherwise', () => {
  expect(bodyOf({ q: 'tag = a' }, { from: 0, to: 60, step: 10 })).toEqual({
    target: { query: 'tag = a' },
    metric: 'cpu_percent',
    from: '1970-01-01T00:00:00.000Z',
    to: '1970-01-01T00:01:00.000Z',
    step: 10,
    aggregate: 'avg',
    group_by: 'device',
  })
})
