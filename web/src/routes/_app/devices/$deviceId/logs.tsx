import { createFileRoute } from '@tanstack/react-router'
import { LEVELS, type Level, type LogFilters, LogsPage } from '@/features/logs'

const TEXTS = ['search', 'source', 'from', 'to'] as const

export const Route = createFileRoute('/_app/devices/$deviceId/logs')({
  validateSearch: (search: Record<string, unknown>): LogFilters => ({
    ...Object.fromEntries(
      TEXTS.filter((name) => search[name]).map((name) => [name, String(search[name])]),
    ),
    ...(LEVELS.includes(search.level as Level) ? { level: search.level as Level } : {}),
  }),
  component: Page,
})

function Page() {
  const { deviceId } = Route.useParams()
  const navigate = Route.useNavigate()
  return (
    <LogsPage
      deviceId={deviceId}
      filters={Route.useSearch()}
      onFilters={(search) => void navigate({ search, replace: true })}
    />
  )
}
