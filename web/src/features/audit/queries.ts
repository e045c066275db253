import { useMutation } from '@tanstack/react-query'
import {
  exportAuditLog,
  listAuditEntries,
  type VerificationDocument,
  verifyAuditLog,
} from '@/api/generated'
import { cursorQuery } from '@/lib/cursor'
import { saveFile } from '@/lib/save-file'
import { type AuditFilters, askOf } from './model'

export const auditQuery = (filters: AuditFilters) =>
  cursorQuery(
    ['audit', filters],
    async ({ query, signal }) =>
      (
        await listAuditEntries({
          query: { ...askOf(filters), ...query },
          signal,
          throwOnError: true,
        })
      ).data,
  )

/** Verifies the whole chain, in as many calls as it takes; the first break ends it. */
export function useVerify() {
  return useMutation({
    mutationFn: async (): Promise<VerificationDocument> => {
      let checkpoints = 0
      let after = 0
      for (;;) {
        const { data } = await verifyAuditLog({ query: { after }, throwOnError: true })
        checkpoints += data.checkpoints
        const stuck = data.verified_to <= after
        if (data.complete || !data.ok || stuck) return { ...data, verified_from: 0, checkpoints }
        after = data.verified_to
      }
    },
  })
}

export type Format = 'csv' | 'json' | 'jsonl'

const MEDIA = { csv: 'text/csv', json: 'application/json', jsonl: 'application/jsonl' }

/** Downloads the log: CSV and JSON as it is filtered; JSON lines whole, since filters would break the chain. */
export function useExport(filters: AuditFilters) {
  return useMutation({
    mutationFn: async (format: Format) => {
      const { data } = await exportAuditLog({
        query: { format, ...(format === 'jsonl' ? {} : askOf(filters)) },
        parseAs: 'blob',
        throwOnError: true,
      })
      const day = new Date().toISOString().slice(0, 10)
      saveFile(`audit-${day}.${format}`, data as unknown as Blob, MEDIA[format])
    },
  })
}
