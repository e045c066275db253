import { expect, it } from 'vitest'
import { EVERYTHING, isEmpty, isPicked, NOTHING, pick, pickedCount } from './selection'

it('picks some, or all but some', () => {
  const few = pick(NOTHING, ['dev_a', 'dev_b'], true)
  expect([...pick(few, ['dev_b'], false).ids]).toEqual(['dev_a'])
  expect(isEmpty(pick(few, ['dev_a', 'dev_b'], false))).toBe(true)

  const most = pick(EVERYTHING, ['dev_c'], false)
  expect(isPicked(most, 'dev_c')).toBe(false)
  expect(isPicked(most, 'dev_z')).toBe(true)
  expect(pickedCount(most, 10_000)).toBe(9_999)
  expect(pickedCount(most, undefined)).toBeUndefined()
  expect(pick(most, ['dev_c'], true)).toEqual(EVERYTHING)
})
