import { createFileRoute } from '@tanstack/react-router'
import { DevicesPage, type DeviceView } from '@/features/devices'
import { PutIntoGroup } from '@/features/groups'

const TEXTS = ['search', 'q', 'group_id', 'project_id', 'sort', 'columns'] as const

export const Route = createFileRoute('/_app/devices/')({
  validateSearch: (search: Record<string, unknown>): DeviceView => ({
    ...Object.fromEntries(
      TEXTS.filter((name) => search[name] !== undefined && search[name] !== '').map((name) => [
        name,
        String(search[name]),
      ]),
    ),
    ...(search.status === 'online' || search.status === 'offline' ? { status: search.status } : {}),
  }),
  component: Page,
})

function Page() {
  const view = Route.useSearch()
  const navigate = Route.useNavigate()
  return (
    <DevicesPage
      view={view}
      onView={(search) => void navigate({ search, replace: true })}
      actions={(deviceIds, onDone) => <PutIntoGroup deviceIds={deviceIds} onDone={onDone} />}
    />
  )
}
