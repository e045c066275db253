import { createFileRoute } from '@tanstack/react-router'
import { ExplainPage } from '@/features/devices'

export const Route = createFileRoute('/_app/devices/$deviceId/explain')({ component: Page })

function Page() {
  const { deviceId } = Route.useParams()
  return <ExplainPage deviceId={deviceId} />
}
