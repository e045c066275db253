import { queryOptions, useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query'
import { idempotencyKey } from '@/api/client'
import {
  addGroupMembers,
  type CreateGroup,
  createGroup,
  deleteGroup,
  type GroupDocument,
  getGroup,
  listGroups,
  removeGroupMembers,
  updateGroup,
} from '@/api/generated'
import { forgetDevices } from '@/features/devices'
import { cursorQuery } from '@/lib/cursor'

export type Group = GroupDocument

export const groupListQuery = cursorQuery(
  ['groups'],
  async (ask) => (await listGroups({ ...ask, throwOnError: true })).data,
)

export const groupQuery = (groupId: string) =>
  queryOptions({
    queryKey: [`groups/${groupId}`],
    queryFn: async ({ signal }) =>
      (await getGroup({ path: { group_id: groupId }, signal, throwOnError: true })).data,
  })

/** The groups there are, as far as they are known. */
export const useGroups = (): readonly Group[] => useInfiniteQuery(groupListQuery).data?.items ?? []

/** Groups count devices and devices name groups: a change of one is a change of both. */
function useForget() {
  const queryClient = useQueryClient()
  return () =>
    Promise.all([
      queryClient.invalidateQueries({
        predicate: ({ queryKey }) => String(queryKey[0]).startsWith('groups'),
      }),
      forgetDevices(queryClient),
    ])
}

/** Makes a group, or changes the one that is given; what kind it is stays. */
export function useSaveGroup(group: Group | null) {
  const forget = useForget()
  return useMutation({
    mutationFn: async ({ kind, ...body }: CreateGroup) =>
      group
        ? (await updateGroup({ path: { group_id: group.id }, body, throwOnError: true })).data
        : (
            await createGroup({
              body: { ...body, kind },
              headers: { 'Idempotency-Key': idempotencyKey() },
              throwOnError: true,
            })
          ).data,
    onSuccess: forget,
  })
}

export function useDeleteGroup() {
  const forget = useForget()
  return useMutation({
    mutationFn: async (groupId: string) => {
      await deleteGroup({ path: { group_id: groupId }, throwOnError: true })
    },
    onSuccess: forget,
  })
}

export interface MembersChange {
  groupId: string
  deviceIds: string[]
  member: boolean
}

export function useChangeMembers() {
  const forget = useForget()
  return useMutation({
    mutationFn: async ({ groupId, deviceIds, member }: MembersChange) => {
      const change = member ? addGroupMembers : removeGroupMembers
      await change({
        path: { group_id: groupId },
        body: { device_ids: deviceIds },
        throwOnError: true,
      })
    },
    onSuccess: forget,
  })
}
