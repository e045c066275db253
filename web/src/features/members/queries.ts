import { queryOptions, skipToken, useMutation, useQueryClient } from '@tanstack/react-query'
import { idempotencyKey } from '@/api/client'
import {
  type AcceptInvitationWritable,
  acceptInvitation,
  type CreateInvitation,
  changeMember,
  createInvitation,
  deleteInvitation,
  listInvitations,
  listMembers,
  type MemberBody,
  previewInvitation,
  removeMember,
  transferOwnership,
} from '@/api/generated'
import { profileQuery } from '@/features/auth'
import { cursorQuery } from '@/lib/cursor'

const pathOf = (id: string) => ({ organization_id: id })

export const memberListQuery = (id: string) =>
  cursorQuery(
    [`organizations/${id}/members`],
    async (ask) => (await listMembers({ path: pathOf(id), ...ask, throwOnError: true })).data,
  )

export const invitationListQuery = (id: string) =>
  cursorQuery(
    [`organizations/${id}/invitations`],
    async (ask) => (await listInvitations({ path: pathOf(id), ...ask, throwOnError: true })).data,
  )

/** A mutation after which people and invitations of the organization read differently, and maybe one's own rights. */
function usePeopleChange<In>(id: string, change: (input: In) => Promise<unknown>) {
  const queryClient = useQueryClient()
  return useMutation({
    mutationFn: async (input: In) => {
      await change(input)
    },
    onSuccess: () => {
      const stale = [
        `organizations/${id}/members`,
        `organizations/${id}/invitations`,
        profileQuery.queryKey[0],
      ]
      return queryClient.invalidateQueries({
        predicate: ({ queryKey }) => stale.includes(String(queryKey[0])),
      })
    },
  })
}

export const useChangeMember = (id: string) =>
  usePeopleChange(id, ({ userId, ...body }: MemberBody & { userId: string }) =>
    changeMember({ path: { ...pathOf(id), user_id: userId }, body, throwOnError: true }),
  )

export const useRemoveMember = (id: string) =>
  usePeopleChange(id, (userId: string) =>
    removeMember({ path: { ...pathOf(id), user_id: userId }, throwOnError: true }),
  )

export const useTransferOwnership = (id: string) =>
  usePeopleChange(id, (userId: string) =>
    transferOwnership({ path: pathOf(id), body: { user_id: userId }, throwOnError: true }),
  )

export const useInvite = (id: string) =>
  usePeopleChange(id, (body: CreateInvitation) =>
    createInvitation({
      path: pathOf(id),
      body,
      headers: { 'Idempotency-Key': idempotencyKey() },
      throwOnError: true,
    }),
  )

export const useWithdraw = (id: string) =>
  usePeopleChange(id, (invitationId: string) =>
    deleteInvitation({ path: { ...pathOf(id), invitation_id: invitationId }, throwOnError: true }),
  )

// Whoever holds the link is believed, signed in or not: the plain fetch.
const plain = () => ({ fetch: globalThis.fetch, throwOnError: true as const })

export const previewQuery = (token: string | null) =>
  queryOptions({
    queryKey: ['invitation-preview', token],
    queryFn: token
      ? async () => (await previewInvitation({ body: { token }, ...plain() })).data
      : skipToken,
    retry: false,
    gcTime: 0,
    // Once it is accepted it is no longer good: it is not asked for again.
    staleTime: Number.POSITIVE_INFINITY,
  })

export const useAccept = () =>
  useMutation({
    mutationFn: async (body: AcceptInvitationWritable) =>
      (await acceptInvitation({ body, ...plain() })).data,
  })
