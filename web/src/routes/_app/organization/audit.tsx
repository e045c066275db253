import { createFileRoute, useNavigate } from '@tanstack/react-router'
import { useCallback } from 'react'
import { type AuditFilters, AuditPage, filtersOf } from '@/features/audit'

export const Route = createFileRoute('/_app/organization/audit')({
  validateSearch: filtersOf,
  component: Page,
})

function Page() {
  const filters = Route.useSearch()
  const navigate = useNavigate()
  const onFilters = useCallback(
    (search: AuditFilters) => void navigate({ to: '/organization/audit', search, replace: true }),
    [navigate],
  )
  return <AuditPage filters={filters} onFilters={onFilters} />
}
