import { createFileRoute } from '@tanstack/react-router'
import {
  AGGREGATES,
  type Aggregate,
  isRange,
  MetricsPage,
  type MetricsView,
} from '@/features/telemetry'

const number = (value: unknown) => {
  const read = Number(value)
  return value !== undefined && Number.isFinite(read) && read > 0 ? read : undefined
}

export const Route = createFileRoute('/_app/devices/$deviceId/metrics')({
  validateSearch: (search: Record<string, unknown>): MetricsView => {
    const from = number(search.from)
    const to = number(search.to)
    const earlier = number(search.earlier)
    return {
      ...(isRange(search.range) ? { range: search.range } : {}),
      ...(from && to ? { from, to } : {}),
      ...(search.metric ? { metric: String(search.metric) } : {}),
      ...(search.device ? { device: String(search.device) } : {}),
      ...(earlier ? { earlier } : {}),
      ...(AGGREGATES.includes(search.aggregate as Aggregate)
        ? { aggregate: search.aggregate as Aggregate }
        : {}),
    }
  },
  component: Page,
})

function Page() {
  const { deviceId } = Route.useParams()
  const navigate = Route.useNavigate()
  return (
    <MetricsPage
      deviceId={deviceId}
      view={Route.useSearch()}
      onView={(search) => void navigate({ search, replace: true })}
    />
  )
}
