import { expect, it } from 'vitest'
import { bytes, duration, relative } from './format'

const NOW = Date.parse('2026-11-24T12:00:00Z')

it('tells the past by what is full and the future to the nearest', () => {
  expect(relative('2026-11-24T11:58:10Z', NOW, 'en')).toBe('1 minute ago')
  expect(relative('2026-11-25T11:59:58Z', NOW, 'en')).toBe('in 24 hours')
  expect(relative('2026-11-24T11:59:57Z', NOW, 'en')).toBe('now')
})

it('writes lengths of time in two units and bytes in binary ones', () => {
  expect(duration(7980)).toBe('2 h 13 min')
  expect(duration(90_000)).toBe('1 d 1 h')
  expect(bytes(4096 * 1024 * 1024, 'en')).toBe('4 GiB')
})
