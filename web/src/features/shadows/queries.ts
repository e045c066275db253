import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { getShadow, updateShadow } from '@/api/generated'
import { same } from '@/lib/json'
import { ApiProblem } from '@/lib/problem'
import { type DesiredChange, ShadowConflict } from './model'

export const shadowQuery = (deviceId: string) =>
  queryOptions({
    queryKey: [`devices/${deviceId}/shadow`],
    queryFn: async ({ signal }) =>
      (await getShadow({ path: { device_id: deviceId }, signal, throwOnError: true })).data,
  })

const isVersionConflict = (error: unknown) =>
  error instanceof ApiProblem && (error.status === 409 || error.status === 412)

/**
 * Saves a change of the desired state against the version it was made on.
 *
 * The version counts the device's own reports too. A report is no conflict with an edit of the desired state: when only
 * the reported side moved on, the change is sent again on the newer version; otherwise `ShadowConflict` is thrown.
 */
export function useSaveDesired(deviceId: string) {
  const queryClient = useQueryClient()
  const query = shadowQuery(deviceId)
  return useMutation({
    mutationFn: async ({ base, patch }: DesiredChange) => {
      const put = async (version: number | undefined) =>
        (
          await updateShadow({
            path: { device_id: deviceId },
            body: { desired: patch, version },
            throwOnError: true,
          })
        ).data
      const known = queryClient.getQueryData(query.queryKey)
      if (known && !same(known.desired, base)) throw new ShadowConflict(known)
      try {
        return await put(known?.version)
      } catch (error) {
        if (!isVersionConflict(error)) throw error
        const latest = await queryClient.fetchQuery({ ...query, staleTime: 0 })
        if (!same(latest.desired, base)) throw new ShadowConflict(latest)
        return put(latest.version)
      }
    },
    onSuccess: (shadow) => queryClient.setQueryData(query.queryKey, shadow),
  })
}
