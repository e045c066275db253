import type { ShadowDocument as Shadow, ShadowVersion } from '@/api/generated'
import { isObject, type Json, type JsonObject, leaves, same } from '@/lib/json'

export type { Shadow, ShadowVersion }

/** One leaf of the shadow, both sides of it. */
export interface ShadowRow {
  path: string
  desired: Json | undefined
  reported: Json | undefined
  /** pending: wanted and not yet so · same: wanted and so · reported: so, and nobody asked for it */
  state: 'pending' | 'same' | 'reported'
  /** When each side of it was last set. */
  desiredAt: string | undefined
  reportedAt: string | undefined
}

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
    desiredAt: metadata.desired[path],
    reportedAt: metadata.reported[path],
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

/** One leaf that differs between two states; `undefined` where it is not there. */
export interface LeafChange {
  path: string
  before: Json | undefined
  after: Json | undefined
}

export type ChangeKind = 'added' | 'removed' | 'changed'

export const kindOf = ({ before, after }: LeafChange): ChangeKind =>
  before === undefined ? 'added' : after === undefined ? 'removed' : 'changed'

/** What differs between two states, leaf by leaf, in the order of their paths. */
export function changesBetween(before: JsonObject, after: JsonObject): LeafChange[] {
  const map = (value: JsonObject) => new Map(leaves(value).map((leaf) => [leaf.path, leaf.value]))
  const [old, next] = [map(before), map(after)]
  return [...new Set([...old.keys(), ...next.keys()])]
    .sort()
    .map((path) => ({ path, before: old.get(path), after: next.get(path) }))
    .filter((change) => !same(change.before, change.after))
}

/** The keys an update named, for a line in a list; a removed one as `-key`. */
export const touched = (patch: Record<string, unknown>): string[] =>
  leaves(patch as JsonObject).map(({ path, value }) => (value === null ? `−${path}` : path))

/** Two versions that are compared; `from` is the one before `to` when it is left out, `to` the newest. */
export interface Comparison {
  from?: number
  to?: number
}
