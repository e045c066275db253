import { queryOptions, useMutation } from '@tanstack/react-query'
import { changePassword, getProfile, login, logout } from '@/api/generated'
import { signedIn, signedOut } from '@/lib/session'

export const profileQuery = queryOptions({
  queryKey: ['auth/profile'],
  queryFn: async ({ signal }) => (await getProfile({ signal, throwOnError: true })).data,
  staleTime: 5 * 60_000,
})

export function useLogin() {
  return useMutation({
    mutationFn: async (body: { email: string; password: string }) =>
      // The plain fetch: a refused password must not set off a token refresh.
      (await login({ body, fetch: globalThis.fetch, throwOnError: true })).data,
    onSuccess: signedIn,
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

export function useChangePassword() {
  return useMutation({
    mutationFn: async (body: { current_password: string; new_password: string }) => {
      await changePassword({ body, throwOnError: true })
    },
  })
}
