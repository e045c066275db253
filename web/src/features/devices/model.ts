import type { DeviceDocument as Device } from '@/api/generated'
import type { Tone } from '@/ui'

export type { Device }

/** What is asked for; all of it stands in the address. */
export interface DeviceFilters {
  /** Words to look for in names and facts. */
  search?: string
  /** The query language. */
  q?: string
  status?: 'online' | 'offline'
  group_id?: string
  project_id?: string
  /** A column's name, with `-` before it for the other way round. */
  sort?: string
}

/** What the page shows: what is asked for, and how. */
export interface DeviceView extends DeviceFilters {
  /** Ids of the columns beside the name, in order; absent: the usual ones. */
  columns?: string
}

export const isFiltered = ({ search, q, status, group_id, project_id }: DeviceFilters): boolean =>
  Boolean(search || q || status || group_id || project_id)

/** The filters as one query, for what acts on all that they match. Words to look for mean what the list takes them for. */
export function queryOf({ search, q, status, group_id, project_id }: DeviceFilters): string {
  const words = search ? JSON.stringify(search) : ''
  const parts = [
    status ? `status = ${status}` : '',
    group_id ? `group = ${group_id}` : '',
    project_id ? `project = ${project_id}` : '',
    q ?? '',
    words ? `name ~ ${words} or tag = ${words}` : '',
  ].filter(Boolean)
  return parts.length > 1
    ? parts.map((part) => (part === q || part.includes(' or ') ? `(${part})` : part)).join(' and ')
    : (parts[0] ?? '')
}

/** Rows of one request. Pages are read by offset, so that the scrollbar may jump anywhere. */
export const PAGE_SIZE = 100

export const isNew = (device: Device): boolean => !device.connected_at && !device.last_seen_at

export function presenceTone(device: Device): Tone {
  return device.status === 'online' ? 'good' : 'off'
}

/** A fact as a device reported it; field clients send whatever they like, so nothing is taken on trust. */
export function fact(facts: Record<string, unknown>, key: string): string | undefined {
  const value = facts[key]
  if (typeof value === 'string') return value.trim() || undefined
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return undefined
}

/** What the device runs on: its board, or for a computer without that name its system. */
export const platform = ({ hardware }: Device): string =>
  fact(hardware, 'board_model') ??
  [fact(hardware, 'os'), fact(hardware, 'arch')].filter(Boolean).join(' · ')

const NAMED_HARDWARE = [
  'board_model',
  'os',
  'arch',
  'kernel',
  'cpu_cores',
  'cpu_model',
  'ram_mb',
  'disk_mb',
  'distribution',
]
const NAMED_NETWORK = ['hostname', 'ip_address', 'mac_address', 'connection_type', 'interface']

/** Facts that have no name of their own in the console; shown under the key the device used. */
export function otherFacts(facts: Record<string, unknown>): [string, string][] {
  const named = new Set([...NAMED_HARDWARE, ...NAMED_NETWORK])
  return Object.keys(facts)
    .filter((key) => !named.has(key))
    .flatMap((key): [string, string][] => {
      const value = facts[key]
      if (value === null || value === undefined || value === '') return []
      return [[key, fact(facts, key) ?? JSON.stringify(value)]]
    })
}

/** The pages that hold rows `first..last`, both included. */
export function pagesOf(first: number, last: number): number[] {
  const from = Math.floor(Math.max(0, first) / PAGE_SIZE)
  const to = Math.floor(Math.max(0, last) / PAGE_SIZE)
  return Array.from({ length: to - from + 1 }, (_, index) => from + index)
}
