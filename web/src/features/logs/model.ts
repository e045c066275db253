import type { LogLineDocument } from '@/api/generated'
import type { Tone } from '@/ui'

export const LEVELS = ['debug', 'info', 'warning', 'error'] as const
export type Level = (typeof LEVELS)[number]

/** A line as it was stored, or as it streams: that one has no id yet. */
export interface LogLine extends Pick<LogLineDocument, 'time' | 'source' | 'message'> {
  level: Level
  flow_id?: string | null
  node_id?: string | null
}

/** What is asked for; all of it stands in the address. */
export interface LogFilters {
  /** This level and what is graver. */
  level?: Level
  search?: string
  source?: string
  /** RFC 3339; with one of them the page looks back and does not follow. */
  from?: string
  to?: string
}

export const follows = ({ from, to }: LogFilters): boolean => !from && !to

export const toneOf = (level: Level): Tone =>
  level === 'error' ? 'bad' : level === 'warning' ? 'wait' : 'plain'

/** Whether a line that just streamed in is one of those asked for; as the server reads the filters. */
export function fits(line: LogLine, { level, search, source }: LogFilters): boolean {
  if (level && LEVELS.indexOf(line.level) < LEVELS.indexOf(level)) return false
  if (source && line.source !== source) return false
  return !search || line.message.toLowerCase().includes(search.toLowerCase())
}

const keyOf = ({ time, source, message }: LogLine) => `${time} ${source} ${message}`

/** What streamed in and what was read, newest first, each line once. */
export function mergeLines(streamed: readonly LogLine[], read: readonly LogLine[]): LogLine[] {
  const known = new Set(read.map(keyOf))
  return [...streamed.filter((line) => !known.has(keyOf(line))), ...read].sort((a, b) =>
    a.time < b.time ? 1 : a.time > b.time ? -1 : 0,
  )
}
