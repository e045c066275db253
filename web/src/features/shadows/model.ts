import type { ShadowDocument as Shadow } from '@/api/generated'
import { isObject, type Json, type JsonObject, leaves } from '@/lib/json'

export type { Shadow }

/** One leaf of the shadow, both sides of it. */
export interface ShadowRow {
  path: string
  desired: Json | undefined
  reported: Json | undefined
  /** pending: wanted and not yet so · same: wanted and so · reported: so, and nobody asked for it */
  state: 'pending' | 'same' | 'reported'
  /** When this leaf last changed on either side. */
  at: string | undefined
}

const later = (a: string | undefined, b: string | undefined) => (!a ? b : !b ? a : a > b ? a : b)

/** Every leaf of either side, by dotted path. What is pending is the server's delta, not a guess of ours. */
export function rowsOf(shadow: Shadow): ShadowRow[] {
  const map = (value: unknown) =>
    new Map((isObject(value) ? leaves(value) : []).map((leaf) => [leaf.path, leaf.value]))
  const desired = map(shadow.desired)
  const reported = map(shadow.reported)
  const delta = map(shadow.delta)
  const { metadata } = shadow
  return [...new Set([...desired.keys(), ...reported.keys()])].sort().map((path) => ({
    path,
    desired: desired.get(path),
    reported: reported.get(path),
    state: delta.has(path) ? 'pending' : desired.has(path) ? 'same' : 'reported',
    at: later(metadata.desired[path], metadata.reported[path]),
  }))
}

export const pendingCount = (rows: readonly ShadowRow[]): number =>
  rows.filter((row) => row.state === 'pending').length

/** Somebody else changed the desired state between our reading and our saving. `latest` is what stands now. */
export class ShadowConflict extends Error {
  constructor(readonly latest: Shadow) {
    super('shadow conflict')
    this.name = 'ShadowConflict'
  }
}

export interface DesiredChange {
  /** The desired state that was on screen when editing began. */
  base: JsonObject
  patch: JsonObject
}
