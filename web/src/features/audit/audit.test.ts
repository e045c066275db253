import { expect, it } from 'vitest'
import { askOf, changesOf, type Entry, filtersOf, isSame } from './model'

it('reads filters from an address and leaves out what makes no sense', () => {
  expect(
    filtersOf({ action: 'org.*', from: '2026-13-40', to: '2026-11-24', status: 'maybe', x: 1 }),
  ).toEqual({ action: 'org.*', to: '2026-11-24' })
  expect(filtersOf({ action: 'DROP TABLE' })).toEqual({})
})

it('asks for the whole of the last day', () => {
  const ask = askOf({ from: '2026-11-24', to: '2026-11-24' })
  const day = 24 * 3_600_000
  expect(Date.parse(String(ask.to)) - Date.parse(String(ask.from))).toBe(day)
})

it('shows what changed before what stayed', () => {
  const entry = {
    old_values: { a: 1, role: 'member' },
    new_values: { a: 1, role: 'admin', more: [1] },
  } as unknown as Entry
  const changes = changesOf(entry)
  expect(changes.map((change) => [change.key, isSame(change)])).toEqual([
    ['role', false],
    ['more', false],
    ['a', true],
  ])
})
