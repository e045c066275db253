import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import {
  confirmMfa,
  disableMfa,
  enableMfa,
  endOtherSessions,
  endSession,
  listSessions,
  type MfaProofBodyWritable,
  type ProfileBody,
  renewRecoveryCodes,
  resendVerification,
  updateProfile,
} from '@/api/generated'
import { profileQuery } from '@/features/auth'

export const sessionListQuery = queryOptions({
  queryKey: ['auth/sessions'],
  queryFn: async ({ signal }) => (await listSessions({ signal, throwOnError: true })).data.items,
})

export function useUpdateProfile() {
  const queryClient = useQueryClient()
  return useMutation({
    mutationFn: async (body: ProfileBody) =>
      (await updateProfile({ body, throwOnError: true })).data,
    onSuccess: (profile) => queryClient.setQueryData(profileQuery.queryKey, profile),
  })
}

/** A mutation after which one's own account reads differently. */
function useAccountChange<In, Out>(change: (input: In) => Promise<Out>) {
  const queryClient = useQueryClient()
  return useMutation({
    mutationFn: change,
    onSuccess: () => queryClient.invalidateQueries({ queryKey: profileQuery.queryKey }),
  })
}

/** The secret for an authenticator; it counts once it is confirmed. */
export const useEnableMfa = () =>
  useMutation({
    mutationFn: async (password: string) =>
      (await enableMfa({ body: { password }, throwOnError: true })).data,
  })

export const useConfirmMfa = () =>
  useAccountChange(
    async (code: string) =>
      (await confirmMfa({ body: { code }, throwOnError: true })).data.recovery_codes,
  )

export const useDisableMfa = () =>
  useAccountChange(async (body: MfaProofBodyWritable) => {
    await disableMfa({ body, throwOnError: true })
  })

export const useRenewCodes = () =>
  useAccountChange(
    async (body: MfaProofBodyWritable) =>
      (await renewRecoveryCodes({ body, throwOnError: true })).data.recovery_codes,
  )

export const useResendVerification = () =>
  useMutation({
    mutationFn: async () => (await resendVerification({ throwOnError: true })).data.message,
  })

export function useEndSession() {
  const queryClient = useQueryClient()
  return useMutation({
    mutationFn: async (sessionId: string) => {
      await endSession({ path: { session_id: sessionId }, throwOnError: true })
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: sessionListQuery.queryKey }),
  })
}

export function useEndOtherSessions() {
  const queryClient = useQueryClient()
  return useMutation({
    mutationFn: async () => {
      await endOtherSessions({ throwOnError: true })
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: sessionListQuery.queryKey }),
  })
}
