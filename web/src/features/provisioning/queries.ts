import { queryOptions, skipToken, useMutation, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { idempotencyKey } from '@/api/client'
import {
  type ClaimDevice,
  type CodeStatus,
  type CreateCodes,
  claimDevice,
  createProvisioningCodes,
  deleteProvisioningCode,
  getProvisioningCode,
  listProvisioningCodes,
} from '@/api/generated'
import { forgetDevices } from '@/features/devices'
import { cursorQuery } from '@/lib/cursor'
import type { CodeRequest, ProvisioningCode } from './model'

export const codeQuery = (codeId: string) =>
  queryOptions({
    queryKey: [`provisioning-codes/${codeId}`],
    queryFn: async ({ signal }) =>
      (await getProvisioningCode({ path: { code_id: codeId }, signal, throwOnError: true })).data,
  })

export const codeListQuery = queryOptions({
  queryKey: ['provisioning-codes'],
  queryFn: async ({ signal }) =>
    (await listProvisioningCodes({ query: { limit: 100 }, signal, throwOnError: true })).data.items,
})

/**
 * The code itself. The server shows it once, when it is made; it is kept in memory only, until the page is reloaded or
 * the session ends.
 */
export const secretQuery = (codeId: string) =>
  queryOptions<string>({
    queryKey: ['code-in-memory', codeId],
    queryFn: skipToken,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: Number.POSITIVE_INFINITY,
  })

export function useCreateCode() {
  const queryClient = useQueryClient()
  return useMutation({
    mutationFn: async ({ name, tags, expiresIn }: CodeRequest) => {
      const { data } = await createProvisioningCodes({
        body: {
          ...(name ? { name } : {}),
          ...(tags.length ? { tags } : {}),
          expires_in: expiresIn,
        },
        headers: { 'Idempotency-Key': idempotencyKey() },
        throwOnError: true,
      })
      const made = data.items[0]
      if (!made?.code) throw new Error('The server answered without a code.')
      return { ...made, code: made.code }
    },
    onSuccess: ({ code, ...made }) => {
      queryClient.setQueryData(secretQuery(made.id).queryKey, code)
      queryClient.setQueryData(codeQuery(made.id).queryKey, made)
      return queryClient.invalidateQueries({ queryKey: codeListQuery.queryKey })
    },
  })
}

export function useDeleteCode() {
  const queryClient = useQueryClient()
  return useMutation({
    mutationFn: async (codeId: string) => {
      await deleteProvisioningCode({ path: { code_id: codeId }, throwOnError: true })
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: codeListQuery.queryKey }),
  })
}

/** A code while it can still be seen: in the answer to the call that made it. */
export interface MadeCode extends ProvisioningCode {
  code: string
  /** What its label's QR code holds: the console's page with the code filled in. */
  claim_url: string
}

/** Many codes at once. They are not kept in any cache: who leaves the page has seen them. */
export function useCreateCodes() {
  const queryClient = useQueryClient()
  return useMutation({
    mutationFn: async (body: CreateCodes): Promise<MadeCode[]> => {
      const { data } = await createProvisioningCodes({
        body,
        headers: { 'Idempotency-Key': idempotencyKey() },
        throwOnError: true,
      })
      return data.items
    },
    gcTime: 0,
    onSuccess: () => queryClient.invalidateQueries({ queryKey: codeListQuery.queryKey }),
  })
}

/** Codes page by page, the newest first. */
export const codePagesQuery = (status: CodeStatus | undefined) =>
  cursorQuery(
    ['provisioning-codes', 'pages', status ?? 'all'],
    async ({ query, signal }) =>
      (
        await listProvisioningCodes({
          query: { ...query, ...(status ? { status } : {}) },
          signal,
          throwOnError: true,
        })
      ).data,
  )

const MOST_PAGES = 10

/** The code of ours that ends like that, the newest first; null where none does among the last two thousand. */
export const ownCodeQuery = (hint: string) =>
  queryOptions({
    queryKey: ['provisioning-codes', 'ending', hint],
    queryFn: async ({ signal }) => {
      let cursor: string | undefined
      for (let page = 0; page < MOST_PAGES; page += 1) {
        const { data } = await listProvisioningCodes({
          query: { limit: 200, ...(cursor ? { cursor } : {}) },
          signal,
          throwOnError: true,
        })
        const found = data.items.find((code) => code.hint === hint)
        if (found) return found
        if (!data.next_cursor) break
        cursor = data.next_cursor
      }
      return null
    },
  })

/** A code that the reader brought along, for the steps that show it. */
export function useRememberSecret(codeId: string, code: string): void {
  const queryClient = useQueryClient()
  useEffect(() => {
    queryClient.setQueryData(secretQuery(codeId).queryKey, code)
  }, [queryClient, codeId, code])
}

/** Takes over a released device. Its key is in the answer only, and in no cache. */
export function useClaim() {
  const queryClient = useQueryClient()
  return useMutation({
    mutationFn: async (body: ClaimDevice) =>
      (
        await claimDevice({
          body,
          headers: { 'Idempotency-Key': idempotencyKey() },
          throwOnError: true,
        })
      ).data,
    gcTime: 0,
    onSuccess: () => forgetDevices(queryClient),
  })
}
