import {
  queryOptions,
  skipToken,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query'
import {
  createExport,
  createOrganization,
  deleteOrganization,
  getExport,
  getOrganization,
  getUsage,
  leaveOrganization,
  listExports,
  listOrganizations,
  type OrganizationBody,
  restoreOrganization,
  updateOrganization,
} from '@/api/generated'
import { profileQuery } from '@/features/auth'
import type { Organization } from './model'

export const ownOrganizationsQuery = queryOptions({
  queryKey: ['organizations'],
  queryFn: async ({ signal }) =>
    (await listOrganizations({ signal, throwOnError: true })).data.items,
})

/** The organization that the session is in, by its id; undefined until the profile is read. */
export function useOrganizationId(): string | undefined {
  return useQuery(profileQuery).data?.organization_id
}

export const organizationQuery = (id: string | undefined) =>
  queryOptions({
    queryKey: [`organizations/${id ?? ''}`],
    queryFn: id
      ? async ({ signal }): Promise<Organization> => {
          const { data, response } = await getOrganization({
            path: { organization_id: id },
            signal,
            throwOnError: true,
          })
          return { ...data, etag: response.headers.get('ETag') }
        }
      : skipToken,
  })

export const usageQuery = (id: string | undefined, allowed: boolean) =>
  queryOptions({
    queryKey: [`organizations/${id ?? ''}/usage`],
    queryFn:
      id && allowed
        ? async ({ signal }) =>
            (await getUsage({ path: { organization_id: id }, signal, throwOnError: true })).data
        : skipToken,
    refetchInterval: 30_000,
  })

/**
 * Changes what `body` names. `onSaved` is a matter of the hook and not of one call: the change is announced over the
 * live socket too, what is re-read may redraw the page before the answer is here, and react-query forgets the callbacks
 * of a call whose component is gone. It is called before the re-read, which may take its time.
 */
export function useUpdateOrganization(organization: Organization, onSaved?: () => void) {
  const queryClient = useQueryClient()
  const id = organization.id
  return useMutation({
    mutationFn: async (body: OrganizationBody) => {
      await updateOrganization({
        path: { organization_id: id },
        body,
        ...(organization.etag ? { headers: { 'If-Match': organization.etag } } : {}),
        throwOnError: true,
      })
    },
    onSuccess: () => onSaved?.(),
    // After a refusal too: where somebody else was faster, the next try stands on what they made.
    onSettled: () =>
      queryClient.invalidateQueries({
        predicate: ({ queryKey }) => String(queryKey[0]).startsWith('organizations'),
      }),
  })
}

export function useCreateOrganization() {
  return useMutation({
    mutationFn: async (name: string) =>
      (await createOrganization({ body: { name }, throwOnError: true })).data,
  })
}

export const useLeaveOrganization = (id: string) =>
  useMutation({
    mutationFn: async () => {
      await leaveOrganization({ path: { organization_id: id }, throwOnError: true })
    },
  })

function useEndOfOrganization(change: () => Promise<unknown>) {
  const queryClient = useQueryClient()
  return useMutation({
    mutationFn: async () => {
      await change()
    },
    // What one may do here is another matter now: everything is read again.
    onSuccess: () => queryClient.invalidateQueries(),
  })
}

export const useDeleteOrganization = (id: string) =>
  useEndOfOrganization(() =>
    deleteOrganization({ path: { organization_id: id }, throwOnError: true }),
  )

export const useRestoreOrganization = (id: string) =>
  useEndOfOrganization(() =>
    restoreOrganization({ path: { organization_id: id }, throwOnError: true }),
  )

const WAIT_MS = 2_000

/** The archives; asked for again while one is being written. */
export const exportListQuery = (id: string) =>
  queryOptions({
    queryKey: [`organizations/${id}/exports`],
    queryFn: async ({ signal }) =>
      (await listExports({ path: { organization_id: id }, signal, throwOnError: true })).data.items,
    refetchInterval: ({ state }) =>
      state.data?.some((each) => each.state === 'waiting') ? WAIT_MS : false,
  })

export function useCreateExport(id: string) {
  const queryClient = useQueryClient()
  return useMutation({
    mutationFn: async () => {
      await createExport({ path: { organization_id: id }, throwOnError: true })
    },
    onSuccess: () => queryClient.invalidateQueries({ queryKey: exportListQuery(id).queryKey }),
  })
}

/** The address of a finished archive; good for a quarter of an hour, so it is asked for when it is needed. */
export const useExportLink = (id: string) =>
  useMutation({
    mutationFn: async (exportId: string) =>
      (
        await getExport({
          path: { organization_id: id, export_id: exportId },
          throwOnError: true,
        })
      ).data.url,
  })
