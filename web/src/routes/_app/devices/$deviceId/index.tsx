import { createFileRoute } from '@tanstack/react-router'
import { DeviceOverview } from '@/features/devices'
import { isRange, MetricsPanel, type Range } from '@/features/telemetry'

export const Route = createFileRoute('/_app/devices/$deviceId/')({
  validateSearch: ({ range }: Record<string, unknown>): { range?: Range } =>
    isRange(range) ? { range } : {},
  component: Page,
})

function Page() {
  const { deviceId } = Route.useParams()
  const { range = '15m' } = Route.useSearch()
  const navigate = Route.useNavigate()
  const onRange = (next: Range) => void navigate({ search: { range: next }, replace: true })
  return (
    <DeviceOverview
      deviceId={deviceId}
      metrics={<MetricsPanel deviceId={deviceId} range={range} onRange={onRange} />}
    />
  )
}
