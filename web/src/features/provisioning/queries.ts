import { queryOptions, skipToken, useMutation, useQueryClient } from '@tanstack/react-query'
import { idempotencyKey } from '@/api/client'
import {
  type CodeStatus,
  type CreateCodes,
  createProvisioningCodes,
  deleteProvisioningCode,
  getProvisioningCode,
  listProvisioningCodes,
} from '@/api/generated'
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
