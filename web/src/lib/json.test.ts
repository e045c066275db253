import { describe, expect, it } from 'vitest'
import { applyPatch, leaves, mergePatch, parseObject, same } from './json'

describe('merge patch', () => {
  it('names changed leaves only, removes with null, takes arrays whole', () => {
    const before = { a: { x: 1, y: 2 }, list: [1, 2], gone: true, kept: 'k' }
    const after = { a: { x: 1, y: 3 }, list: [2], kept: 'k', fresh: { z: 1 } }
    const patch = mergePatch(before, after)
    expect(patch).toEqual({ a: { y: 3 }, list: [2], gone: null, fresh: { z: 1 } })
    expect(applyPatch(before, patch)).toEqual(after)
  })

  it('is empty for the same document in another order', () => {
    expect(
      mergePatch({ a: 1, b: { c: [1, { d: 2 }] } }, { b: { c: [1, { d: 2 }] }, a: 1 }),
    ).toEqual({})
  })

  it('replaces a value by an object and back', () => {
    expect(applyPatch({ a: 1 }, mergePatch({ a: 1 }, { a: { b: 2 } }))).toEqual({ a: { b: 2 } })
    expect(applyPatch({ a: { b: 2 } }, mergePatch({ a: { b: 2 } }, { a: 1 }))).toEqual({ a: 1 })
  })
})

it('lists leaves by dotted path and keeps empty objects', () => {
  expect(leaves({ a: { b: 1, c: {} }, d: [1] })).toEqual([
    { path: 'a.b', value: 1 },
    { path: 'a.c', value: {} },
    { path: 'd', value: [1] },
  ])
})

it('tells a syntax error from a wrong shape', () => {
  expect(parseObject('{')).toEqual({ ok: false, reason: 'syntax' })
  expect(parseObject('[1]')).toEqual({ ok: false, reason: 'shape' })
  expect(parseObject('null')).toEqual({ ok: false, reason: 'shape' })
  expect(same({ a: [1] }, { a: [1, 2] })).toBe(false)
})
