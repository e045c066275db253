import { useInfiniteQuery } from '@tanstack/react-query'
import { useOrganizationId } from '@/features/organizations'
import type { Member } from './model'
import { memberListQuery } from './queries'

/** The first hundred people of the organization, to give ids their names; empty until they are read. */
export function useMembers(): readonly Member[] {
  const id = useOrganizationId()
  const { data } = useInfiniteQuery({ ...memberListQuery(id ?? ''), enabled: Boolean(id) })
  return data?.items ?? []
}
