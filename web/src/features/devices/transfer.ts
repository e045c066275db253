import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { client } from '@/api/generated/client.gen'
import { type CsvPart, partsOf } from './csv'
import { forgetDevices } from './queries'

export const OUTCOMES = ['failed', 'created', 'updated', 'unchanged'] as const
export type Outcome = (typeof OUTCOMES)[number]

export interface ImportedRow {
  /** Of the file; the heading is line 1. */
  line: number
  outcome: Outcome
  device_id?: string | null
  name: string
  errors: string[]
}

export type ImportResult = Record<Outcome, number> & { rows: ImportedRow[] }

/** Records of one call. */
export const PART_SIZE = 500

const NOTHING: ImportResult = { created: 0, updated: 0, unchanged: 0, failed: 0, rows: [] }

/** The results of two parts as one; the second one's lines are counted from the file's beginning. */
export function joined(one: ImportResult, other: ImportResult, offset: number): ImportResult {
  const counts = Object.fromEntries(OUTCOMES.map((each) => [each, one[each] + other[each]]))
  return {
    ...(counts as Record<Outcome, number>),
    rows: [...one.rows, ...other.rows.map((row) => ({ ...row, line: row.line + offset }))],
  }
}

async function send(part: CsvPart, dryRun: boolean, signal: AbortSignal): Promise<ImportResult> {
  const { data } = await client.post<{ 200: ImportResult }, unknown, true>({
    url: '/api/v1/devices/import',
    query: dryRun ? { dry_run: true } : {},
    body: part.csv,
    bodySerializer: (body: unknown) => body,
    headers: { 'Content-Type': 'text/csv' },
    signal,
    throwOnError: true,
  })
  return data
}

export interface ImportRun {
  csv: string
  dryRun: boolean
}

/**
 * Reads a table as devices, part by part; `dryRun` only says what would come of each line. When a part fails as a whole
 * (the network, a heading that is not understood), what the parts before it did is in `result` all the same.
 */
export function useImport() {
  const queryClient = useQueryClient()
  const [progress, setProgress] = useState({ done: 0, of: 0 })
  const [result, setResult] = useState<ImportResult | null>(null)
  const [stop, setStop] = useState<AbortController | null>(null)
  const mutation = useMutation({
    mutationFn: async ({ csv, dryRun }: ImportRun) => {
      const parts = partsOf(csv, PART_SIZE)
      const of = parts.reduce((sum, { records }) => sum + records, 0)
      const controller = new AbortController()
      setStop(controller)
      setResult(null)
      setProgress({ done: 0, of })
      let sum = NOTHING
      let done = 0
      for (const part of parts) {
        sum = joined(sum, await send(part, dryRun, controller.signal), part.offset)
        done += part.records
        setResult(sum)
        setProgress({ done, of })
      }
      return sum
    },
    gcTime: 0,
    onSettled: (_result, _error, { dryRun }) => (dryRun ? undefined : forgetDevices(queryClient)),
  })
  return {
    run: mutation.mutate,
    pending: mutation.isPending,
    error: mutation.error,
    progress,
    result,
    stop: () => stop?.abort(),
    reset: () => {
      stop?.abort()
      setResult(null)
      mutation.reset()
    },
  }
}

/** What the query matches (all, where it is empty), as CSV text. */
export const useExport = () =>
  useMutation({
    mutationFn: async (q: string) => {
      const { data } = await client.get<{ 200: string }, unknown, true>({
        url: '/api/v1/devices/export',
        query: q ? { q } : {},
        parseAs: 'text',
        throwOnError: true,
      })
      return data
    },
    gcTime: 0,
  })
