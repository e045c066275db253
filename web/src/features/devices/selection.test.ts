import { expect, it } from 'vitest'
import { EVERYTHING, isPicked, NOTHING, pick, pickedCount, targetOf } from './selection'

it('says all but a few without naming the many', () => {
  const few = pick(NOTHING, ['dev_a', 'dev_b'], true)
  expect(targetOf(pick(few, ['dev_b'], false), {})).toEqual({ device_ids: ['dev_a'] })

  const most = pick(EVERYTHING, ['dev_c'], false)
  expect(isPicked(most, 'dev_c')).toBe(false)
  expect(isPicked(most, 'dev_z')).toBe(true)
  expect(pickedCount(most, 10_000)).toBe(9_999)
  expect(targetOf(EVERYTHING, {})).toEqual({ all: true })
  expect(targetOf(EVERYTHING, { status: 'online', q: 'tag = a or tag = b' })).toEqual({
    query: 'status = online and (tag = a or tag = b)',
  })
  expect(targetOf(most, { q: 'tag = a or tag = b' })).toEqual({
    query: '(tag = a or tag = b) and device not in (dev_c)',
  })
  expect(pick(most, ['dev_c'], true)).toEqual(EVERYTHING)
})
