import type { CommandDocument as Command } from '@/api/generated'
import type { JsonObject } from '@/lib/json'
import type { Tone } from '@/ui'

export type { Command }

export interface Field {
  name: string
  kind: 'text' | 'number' | 'json'
}

/** The actions every device answers, with the payload each takes. The order is that of the menu. */
export const ACTIONS = {
  health_check: [],
  get_system_metrics: [],
  get_shadow: [],
  update_desired: [{ name: 'desired', kind: 'json' }],
  list_flows: [],
  get_flow: [{ name: 'flow_id', kind: 'text' }],
  start_flow: [{ name: 'flow_id', kind: 'text' }],
  stop_flow: [{ name: 'flow_id', kind: 'text' }],
  get_executions: [],
  get_gpio_state: [],
  set_gpio: [
    { name: 'pin', kind: 'number' },
    { name: 'mode', kind: 'text' },
    { name: 'value', kind: 'number' },
  ],
} as const satisfies Record<string, readonly Field[]>

export type Action = keyof typeof ACTIONS
/** The menu's entry for an action that is typed by name. */
export const CUSTOM = 'custom'
export const ACTION_NAMES = Object.keys(ACTIONS) as Action[]
export const fieldsOf = (action: string): readonly Field[] =>
  action in ACTIONS ? ACTIONS[action as Action] : []

/** A payload to start from: every field present, empty. */
export function blankPayload(action: string): JsonObject {
  return Object.fromEntries(
    fieldsOf(action).map(({ name, kind }) => [
      name,
      kind === 'json' ? {} : kind === 'number' ? 0 : '',
    ]),
  )
}

export interface CommandRequest {
  action: string
  payload: JsonObject
  /** Seconds the device has for its answer. */
  timeout: number
  /** Seconds the command waits for a device that is away; undefined: it is refused at once. */
  ttl: number | undefined
}

export const COMMAND_STATES = [
  'queued',
  'sent',
  'done',
  'failed',
  'expired',
  'cancelled',
  'unknown',
] as const satisfies readonly Command['status'][]

/** What is asked for of the history; all of it stands in the address. */
export interface CommandFilters {
  status?: Command['status']
  action?: string
  /** Days as `2026-11-24`, both included. */
  from?: string
  to?: string
}

export const isDay = (value: unknown): value is string =>
  typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value) && !Number.isNaN(Date.parse(value))

/** The window of two days of the reader's own calendar, as the API takes it: the end is not in it. */
export function windowOf({ from, to }: CommandFilters): { from?: string; to?: string } {
  const midnight = (day: string, later: number) => {
    const [year = 0, month = 1, date = 1] = day.split('-').map(Number)
    return new Date(year, month - 1, date + later).toISOString()
  }
  return {
    ...(from ? { from: midnight(from, 0) } : {}),
    ...(to ? { to: midnight(to, 1) } : {}),
  }
}

const RUNNING = new Set<Command['status']>(['queued', 'sent'])
export const isRunning = (command: Command): boolean => RUNNING.has(command.status)

export function toneOf(status: Command['status']): Tone {
  switch (status) {
    case 'done':
      return 'good'
    case 'failed':
    case 'expired':
      return 'bad'
    case 'queued':
    case 'sent':
    case 'unknown':
      return 'wait'
    case 'cancelled':
      return 'plain'
  }
}

/** Seconds from creation to the end, undefined while it has none. */
export function tookSeconds(command: Command): number | undefined {
  if (!command.finished_at) return undefined
  return Math.max(0, (Date.parse(command.finished_at) - Date.parse(command.created_at)) / 1000)
}
