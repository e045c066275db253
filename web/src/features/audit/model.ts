import type { AuditEntryDocument } from '@/api/generated'

export type Entry = AuditEntryDocument
export type Status = 'success' | 'failure'

/** What the list is narrowed by; days as the reader's calendar has them. */
export interface AuditFilters {
  user?: string
  /** `device.update`, or `device.*` for all of them. */
  action?: string
  resource?: string
  status?: Status
  from?: string
  to?: string
}

/** Beginnings that are offered; any other action can be typed. */
export const ACTIONS = [
  'user.*',
  'org.*',
  'security.*',
  'device.*',
  'provisioning.*',
  'shadow.*',
  'command.*',
  'project.*',
  'user.login',
  'security.login_failed',
  'org.member_role_change',
] as const

const DAY = /^\d{4}-\d{2}-\d{2}$/
const ACTION = /^[a-z0-9_.]+\*?$/

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined

/** Reads filters from an address; what makes no sense is left out. */
export function filtersOf(search: Record<string, unknown>): AuditFilters {
  const day = (value: unknown) => {
    const found = text(value)
    return found && DAY.test(found) && !Number.isNaN(Date.parse(found)) ? found : undefined
  }
  const action = text(search.action)
  const filters: AuditFilters = {
    user: text(search.user),
    action: action && ACTION.test(action) ? action : undefined,
    resource: text(search.resource),
    status: search.status === 'success' || search.status === 'failure' ? search.status : undefined,
    from: day(search.from),
    to: day(search.to),
  }
  return Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== undefined))
}

export const isNarrowed = (filters: AuditFilters): boolean => Object.keys(filters).length > 0

/** The filters as the API takes them: the whole of both days, in the reader's zone. */
export function askOf({ user, action, resource, status, from, to }: AuditFilters) {
  const next = to ? new Date(`${to}T00:00:00`) : undefined
  next?.setDate(next.getDate() + 1)
  return {
    ...(user ? { user_id: user } : {}),
    ...(action ? { action } : {}),
    ...(resource ? { resource_id: resource } : {}),
    ...(status ? { status } : {}),
    ...(from ? { from: new Date(`${from}T00:00:00`).toISOString() } : {}),
    ...(next ? { to: next.toISOString() } : {}),
  }
}

export interface Change {
  key: string
  before: unknown
  after: unknown
  /** Whether the key was there before, and is there now. */
  had: boolean
  has: boolean
}

/** What is told of before and after, key by key; keys that stayed the same last. */
export function changesOf({ old_values, new_values }: Entry): Change[] {
  const before = old_values ?? {}
  const after = new_values ?? {}
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  const changes = keys.map((key) => ({
    key,
    before: before[key],
    after: after[key],
    had: key in before,
    has: key in after,
  }))
  return changes.sort((one, other) => Number(isSame(one)) - Number(isSame(other)))
}

export const isSame = ({ before, after, had, has }: Change): boolean =>
  had && has && JSON.stringify(before) === JSON.stringify(after)
