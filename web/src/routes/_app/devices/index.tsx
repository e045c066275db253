import { createFileRoute, useNavigate } from '@tanstack/react-router'
import { useCallback } from 'react'
import { type DeviceFilters, DevicesPage } from '@/features/devices'

export const Route = createFileRoute('/_app/devices/')({
  validateSearch: ({ search, status }: Record<string, unknown>): DeviceFilters => ({
    ...(search ? { search: String(search) } : {}),
    ...(status === 'online' || status === 'offline' ? { status } : {}),
  }),
  component: Page,
})

function Page() {
  const filters = Route.useSearch()
  const navigate = useNavigate()
  const onFilters = useCallback(
    (search: DeviceFilters) => void navigate({ to: '/devices', search, replace: true }),
    [navigate],
  )
  return <DevicesPage filters={filters} onFilters={onFilters} />
}
