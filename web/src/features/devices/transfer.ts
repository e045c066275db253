import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { idempotencyKey } from '@/api/client'
import { exportDevices, type ImportedLine, importDevices } from '@/api/generated'
import { type CsvPart, partsOf } from './csv'
import type { DeviceFilters } from './model'
import { forgetDevices } from './queries'

export const OUTCOMES = ['failed', 'created', 'updated', 'unchanged'] as const
export type Outcome = (typeof OUTCOMES)[number]

/** Its line is of the file; the heading is line 1. */
export type ImportedRow = ImportedLine

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
  const { data } = await importDevices({
    body: part.csv,
    query: { dry_run: dryRun },
    ...(dryRun ? {} : { headers: { 'Idempotency-Key': idempotencyKey() } }),
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

/** What the list shows (all of it, where nothing is asked for), as CSV text. */
export const useExport = () =>
  useMutation({
    mutationFn: async ({ sort: _sort, ...filters }: DeviceFilters) => {
      const { data } = await exportDevices({ query: filters, parseAs: 'text', throwOnError: true })
      return data as string
    },
    gcTime: 0,
  })

const cell = (value: string): string => {
  const plain = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\n\r]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain
}

/** The keys of the devices that were made. */
export function keysCsv(rows: readonly ImportedRow[]): string {
  const lines = rows
    .filter(({ api_key }) => api_key)
    .map(({ name, device_id, api_key }) =>
      [name, device_id ?? '', api_key ?? ''].map(cell).join(','),
    )
  return ['name,device_id,api_key', ...lines, ''].join('\r\n')
}
