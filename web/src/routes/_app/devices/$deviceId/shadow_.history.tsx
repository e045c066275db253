import { createFileRoute } from '@tanstack/react-router'
import { type Comparison, HistoryPage } from '@/features/shadows'

const version = (value: unknown) =>
  Number.isSafeInteger(Number(value)) && Number(value) >= 0 ? Number(value) : undefined

export const Route = createFileRoute('/_app/devices/$deviceId/shadow_/history')({
  validateSearch: ({ from, to }: Record<string, unknown>): Comparison => ({
    ...(from !== undefined && version(from) !== undefined ? { from: version(from) as number } : {}),
    ...(to !== undefined && version(to) !== undefined ? { to: version(to) as number } : {}),
  }),
  component: Page,
})

function Page() {
  const { deviceId } = Route.useParams()
  const navigate = Route.useNavigate()
  return (
    <HistoryPage
      deviceId={deviceId}
      comparison={Route.useSearch()}
      onComparison={(search) => void navigate({ search, replace: true })}
    />
  )
}
