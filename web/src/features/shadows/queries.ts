import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import {
  compareShadowVersions,
  getShadow,
  getShadowVersion,
  listShadowVersions,
  restoreShadow,
  updateShadow,
} from '@/api/generated'
import { cursorQuery } from '@/lib/cursor'
import { type Json, same } from '@/lib/json'
import { ApiProblem } from '@/lib/problem'
import { type DesiredChange, type LeafChange, type Shadow, ShadowConflict } from './model'

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

// The keys below begin with the shadow's path: a new version makes the list stale. What two given versions were like
// never changes, so that stays.
const EVER = Number.POSITIVE_INFINITY

export const shadowHistoryQuery = (deviceId: string) =>
  cursorQuery(
    [`devices/${deviceId}/shadow`, 'history'],
    async ({ query, signal }) =>
      (
        await listShadowVersions({
          path: { device_id: deviceId },
          query,
          signal,
          throwOnError: true,
        })
      ).data,
  )

/** The whole document as it was. */
export const shadowVersionQuery = (deviceId: string, version: number) =>
  queryOptions({
    queryKey: [`devices/${deviceId}/shadow/history/${version}`],
    queryFn: async ({ signal }) =>
      (
        await getShadowVersion({
          path: { device_id: deviceId, version },
          signal,
          throwOnError: true,
        })
      ).data,
    staleTime: EVER,
  })

/** What differs between two versions, each side of the shadow for itself. */
export const shadowDiffQuery = (deviceId: string, from: number, to: number) =>
  queryOptions({
    queryKey: [`devices/${deviceId}/shadow/diff`, from, to],
    queryFn: async ({ signal }) => {
      const { data } = await compareShadowVersions({
        path: { device_id: deviceId },
        query: { from, to },
        signal,
        throwOnError: true,
      })
      const side = (section: 'desired' | 'reported'): LeafChange[] =>
        data.changes
          .filter((change) => change.section === section)
          .map(({ path, before, after }) => ({
            path,
            before: (before ?? undefined) as Json | undefined,
            after: (after ?? undefined) as Json | undefined,
          }))
      return { desired: side('desired'), reported: side('reported') }
    },
    staleTime: EVER,
  })

interface Restore {
  /** What stood when the change was shown. */
  now: Shadow
  version: number
}

/**
 * Wants again what an earlier version wanted; that makes a new version. As with saving, a report of the device in
 * between is no conflict, another wish is: then nothing is changed and the newer shadow is on screen.
 */
export function useRestoreShadow(deviceId: string) {
  const queryClient = useQueryClient()
  const query = shadowQuery(deviceId)
  return useMutation({
    mutationFn: async ({ now, version }: Restore) => {
      const post = async (current: number) =>
        (
          await restoreShadow({
            path: { device_id: deviceId },
            body: { version },
            headers: { 'If-Match': `"${current}"` },
            throwOnError: true,
          })
        ).data
      try {
        return await post(now.version)
      } catch (error) {
        if (!isVersionConflict(error)) throw error
        const latest = await queryClient.fetchQuery({ ...query, staleTime: 0 })
        if (!same(latest.desired, now.desired)) throw error
        return post(latest.version)
      }
    },
    onSuccess: (shadow) => {
      queryClient.setQueryData(query.queryKey, shadow)
      // Not waited for: who restored is told at once.
      void queryClient.invalidateQueries({ queryKey: query.queryKey })
    },
  })
}
