import type { TargetBody } from '@/api/generated'
import { type DeviceFilters, queryOf } from './model'

/**
 * What is picked in a list: single devices, or all that the filters match except some. Ten thousand ids are not sent
 * over the wire to say "all of them".
 */
export interface Selection {
  all: boolean
  /** The picked ones; with `all`, those that are not. */
  ids: ReadonlySet<string>
}

export const NOTHING: Selection = { all: false, ids: new Set() }
export const EVERYTHING: Selection = { all: true, ids: new Set() }

export const isPicked = (selection: Selection, id: string): boolean =>
  selection.all !== selection.ids.has(id)

export function pick(selection: Selection, ids: readonly string[], picked: boolean): Selection {
  const next = new Set(selection.ids)
  for (const id of ids) {
    if (picked === selection.all) next.delete(id)
    else next.add(id)
  }
  return { all: selection.all, ids: next }
}

/** How many are picked; undefined while the whole is not known. */
export const pickedCount = (
  { all, ids }: Selection,
  total: number | undefined,
): number | undefined => (all ? total && total - ids.size : ids.size)

export const isEmpty = (selection: Selection): boolean => !selection.all && selection.ids.size === 0

/** The picked devices as the API takes them. */
export function targetOf({ all, ids }: Selection, filters: DeviceFilters): TargetBody {
  if (!all) return { device_ids: [...ids] }
  const query = queryOf(filters)
  const but = ids.size > 0 ? [`device not in (${[...ids].join(', ')})`] : []
  const whole = [query && but.length > 0 ? `(${query})` : query, ...but].filter(Boolean)
  return whole.length > 0 ? { query: whole.join(' and ') } : { all: true }
}
