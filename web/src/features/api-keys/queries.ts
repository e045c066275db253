import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type CreateApiKey, createApiKey, listApiKeys, revokeApiKey } from '@/api/generated'
import { cursorQuery } from '@/lib/cursor'

export const apiKeyListQuery = cursorQuery(
  ['api-keys'],
  async (ask) => (await listApiKeys({ ...ask, throwOnError: true })).data,
)

/** Makes a key. Its text is in the answer and nowhere else, this cache included. */
export function useCreateApiKey() {
  const queryClient = useQueryClient()
  return useMutation({
    mutationFn: async (body: CreateApiKey) =>
      (await createApiKey({ body, throwOnError: true })).data,
    onSuccess: () => queryClient.invalidateQueries({ queryKey: apiKeyListQuery.queryKey }),
    gcTime: 0,
  })
}

export function useRevokeApiKey() {
  const queryClient = useQueryClient()
  return useMutation({
    mutationFn: async (id: string) => {
      await revokeApiKey({ path: { api_key_id: id }, throwOnError: true })
    },
    onSuccess: () => queryClient.invalidateQueries({ queryKey: apiKeyListQuery.queryKey }),
  })
}
