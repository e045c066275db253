export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
export type JsonObject = { [key: string]: Json }

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Deep equality of JSON values; the order of keys does not matter. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((value, index) => same(value, b[index]))
  }
  if (isObject(a) && isObject(b)) {
    const keys = Object.keys(a)
    return (
      keys.length === Object.keys(b).length && keys.every((key) => key in b && same(a[key], b[key]))
    )
  }
  return false
}

/** The merge patch that turns `before` into `after`: changed leaves, `null` for a removed key, arrays whole. */
export function mergePatch(before: JsonObject, after: JsonObject): JsonObject {
  const patch: JsonObject = {}
  for (const key of Object.keys(before)) if (!(key in after)) patch[key] = null
  for (const [key, value] of Object.entries(after)) {
    const old = before[key]
    if (isObject(old) && isObject(value)) {
      const inner = mergePatch(old, value)
      if (Object.keys(inner).length > 0) patch[key] = inner
    } else if (!(key in before) || !same(old, value)) {
      patch[key] = value
    }
  }
  return patch
}

export function applyPatch(target: JsonObject, patch: JsonObject): JsonObject {
  const result: JsonObject = { ...target }
  for (const [key, value] of Object.entries(patch)) {
    const old = result[key]
    if (value === null) delete result[key]
    else if (isObject(value)) result[key] = applyPatch(isObject(old) ? old : {}, value)
    else result[key] = value
  }
  return result
}

export interface Leaf {
  path: string
  value: Json
}

/** A key as one segment of a dotted path, as the server writes it: dots and backslashes in it are escaped. */
const segment = (key: string): string => key.replace(/[\\.]/g, '\\$&')

/** Leaves by dotted path. An empty object is a leaf, so that it is not lost from sight. */
export function leaves(value: JsonObject, prefix = ''): Leaf[] {
  return Object.entries(value).flatMap(([key, inner]) => {
    const path = prefix === '' ? segment(key) : `${prefix}.${segment(key)}`
    return isObject(inner) && Object.keys(inner).length > 0
      ? leaves(inner, path)
      : [{ path, value: inner }]
  })
}

export type ParsedObject =
  | { ok: true; value: JsonObject }
  | { ok: false; reason: 'syntax' | 'shape' }

/** Reads text that must be one JSON object. */
export function parseObject(text: string): ParsedObject {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? { ok: true, value } : { ok: false, reason: 'shape' }
  } catch {
    return { ok: false, reason: 'syntax' }
  }
}

export const pretty = (value: unknown): string => JSON.stringify(value, null, 2) ?? ''

/** Paths whose value is `null`: over the API that means "remove". */
export const nullPaths = (value: JsonObject): string[] =>
  leaves(value)
    .filter((leaf) => leaf.value === null)
    .map((leaf) => leaf.path)
