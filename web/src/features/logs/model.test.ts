import { expect, it } from 'vitest'
import { fits, type LogLine, mergeLines } from './model'

const line = (change: Partial<LogLine> = {}): LogLine => ({
  time: '2026-11-24T10:00:00Z',
  level: 'info',
  source: 'agent',
  message: 'Connected to the cloud',
  ...change,
})

it('lets through what was asked for', () => {
  expect(fits(line(), { level: 'warning' })).toBe(false)
  expect(fits(line({ level: 'error' }), { level: 'warning' })).toBe(true)
  expect(fits(line(), { search: 'CLOUD', source: 'agent' })).toBe(true)
  expect(fits(line(), { source: 'engine' })).toBe(false)
})

it('shows each line once, the newest first', () => {
  const old = line()
  const fresh = line({ time: '2026-11-24T10:00:05Z', message: 'Flow started' })
  expect(mergeLines([fresh, old], [old])).toEqual([fresh, old])
})
