/** What is picked in a list: single devices, or all that the filters match except some. */
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
