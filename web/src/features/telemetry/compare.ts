import type { AskTelemetry, TargetBody } from '@/api/generated'
import { isRange, type Range, stepFor } from './model'

export const GROUPINGS = ['device', 'group', 'tag', 'none'] as const
export type Grouping = (typeof GROUPINGS)[number]
export const MANY_AGGREGATES = ['avg', 'min', 'max', 'sum', 'count'] as const
export type ManyAggregate = (typeof MANY_AGGREGATES)[number]

/** What is compared; all of it stands in the address. */
export interface CompareView {
  /** Device ids with commas between. Without them and without `q`: all devices. */
  ids?: string
  /** The query language. */
  q?: string
  metric?: string
  range?: Range
  /** A window that stands still, epoch seconds; it wins over `range`. */
  from?: number
  to?: number
  group_by?: Grouping
  aggregate?: ManyAggregate
}

const USUAL = 'cpu_percent'
export const metricOf = ({ metric }: CompareView): string => metric ?? USUAL
export const idsOf = ({ ids }: CompareView): string[] => ids?.split(',').filter(Boolean) ?? []

export function targetOf(view: CompareView): TargetBody {
  const ids = idsOf(view)
  if (ids.length > 0) return { device_ids: ids }
  return view.q ? { query: view.q } : { all: true }
}

type At = Range | { from: number; to: number; step: number }

/** The window of a view: one that ends now, or one that stands still. */
export const windowOf = ({ range = '1h', from, to }: CompareView): At =>
  from !== undefined && to !== undefined && to > from
    ? { from, to, step: stepFor(to - from) }
    : range

/** What an address says, as far as it can be understood. */
export function viewOf(search: Record<string, unknown>): CompareView {
  const one = <T extends string>(value: unknown, known: readonly T[]): T | undefined =>
    known.find((each) => each === value)
  const number = (value: unknown) => (Number(value) > 0 ? Number(value) : undefined)
  const [from, to] = [number(search.from), number(search.to)]
  const grouping = one(search.group_by, GROUPINGS)
  const aggregate = one(search.aggregate, MANY_AGGREGATES)
  return {
    ...(search.ids ? { ids: String(search.ids) } : {}),
    ...(search.q ? { q: String(search.q) } : {}),
    ...(search.metric ? { metric: String(search.metric) } : {}),
    ...(isRange(search.range) ? { range: search.range } : {}),
    ...(from && to ? { from, to } : {}),
    ...(grouping ? { group_by: grouping } : {}),
    ...(aggregate ? { aggregate } : {}),
  }
}

export const bodyOf = (
  view: CompareView,
  { from, to, step }: { from: number; to: number; step: number },
): AskTelemetry => ({
  target: targetOf(view),
  metric: metricOf(view),
  from: new Date(from * 1000).toISOString(),
  to: new Date(to * 1000).toISOString(),
  step,
  aggregate: view.aggregate ?? 'avg',
  group_by: view.group_by ?? 'device',
})
