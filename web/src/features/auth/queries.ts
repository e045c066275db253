import {
  keepPreviousData,
  queryOptions,
  skipToken,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query'
import {
  changePassword,
  type EntryDocument,
  estimatePassword,
  forgotPassword,
  getProfile,
  type LoginBodyWritable,
  login,
  logout,
  type MfaRequiredDocument,
  type RegisterBodyWritable,
  register,
  resetPassword,
  switchOrganization,
  verifyEmail,
} from '@/api/generated'
import { signedIn, signedOut } from '@/lib/session'

// The plain fetch: a refused password must not set off a token refresh, and a stranger has no token.
const plain = () => ({ fetch: globalThis.fetch, throwOnError: true as const })

export const profileQuery = queryOptions({
  queryKey: ['auth/profile'],
  queryFn: async ({ signal }) => (await getProfile({ signal, throwOnError: true })).data,
  staleTime: 5 * 60_000,
})

/** Whether the signed-in person has a permission here; undefined until it is known. */
export function useMay(permission: string): boolean | undefined {
  const { data } = useQuery(profileQuery)
  return data?.permissions.includes(permission)
}

/** How hard a password would be to guess. Not kept: a password has no business in a cache. */
export const strengthQuery = (password: string, email: string, words: string[]) =>
  queryOptions({
    queryKey: ['auth/password-strength', password, email, words],
    queryFn: password
      ? async () =>
          (
            await estimatePassword({
              body: { password, email, words: words.filter(Boolean) },
              ...plain(),
            })
          ).data
      : skipToken,
    placeholderData: keepPreviousData,
    gcTime: 0,
    // An advice: where it cannot be had, the field goes without.
    retry: false,
  })

/** The password is right, and a code is asked for too. */
export const needsCode = (
  answer: EntryDocument | MfaRequiredDocument,
): answer is MfaRequiredDocument => 'requires_mfa' in answer

export function useLogin() {
  return useMutation({
    mutationFn: async (body: LoginBodyWritable) => (await login({ body, ...plain() })).data,
    onSuccess: (answer) => {
      if (!needsCode(answer)) signedIn(answer)
    },
  })
}

/** Makes the account, and opens its first session. */
export function useRegister() {
  return useMutation({
    mutationFn: async (body: RegisterBodyWritable) => {
      await register({ body, ...plain() })
      const { data } = await login({
        body: { email: body.email, password: body.password },
        ...plain(),
      })
      if (!needsCode(data)) signedIn(data)
    },
  })
}

export function useVerifyEmail() {
  const queryClient = useQueryClient()
  return useMutation({
    mutationFn: async (token: string) => (await verifyEmail({ body: { token }, ...plain() })).data,
    onSuccess: () => queryClient.invalidateQueries({ queryKey: profileQuery.queryKey }),
  })
}

export function useForgotPassword() {
  return useMutation({
    mutationFn: async (email: string) =>
      (await forgotPassword({ body: { email }, ...plain() })).data,
  })
}

export function useResetPassword() {
  return useMutation({
    mutationFn: async (body: { token: string; new_password: string }) =>
      (await resetPassword({ body, ...plain() })).data,
  })
}

/** Ends the session at the server if it can be reached, and here in any case. */
export function useLogout() {
  return useMutation({
    mutationFn: async () => {
      await logout({ throwOnError: true })
    },
    onSettled: () => {
      signedOut('left')
    },
  })
}

/** Enters another organization: a new session there takes the place of this one. */
export function useSwitchOrganization() {
  return useMutation({
    mutationFn: async (organizationId: string) => {
      const { data } = await switchOrganization({
        body: { organization_id: organizationId },
        throwOnError: true,
      })
      // The one that is left would lie about for a month. If it cannot be ended, it ends by itself.
      await logout({ throwOnError: true }).catch(() => undefined)
      signedIn(data)
    },
  })
}

export function useChangePassword() {
  return useMutation({
    mutationFn: async (body: { current_password: string; new_password: string }) =>
      (await changePassword({ body, throwOnError: true })).data,
  })
}
