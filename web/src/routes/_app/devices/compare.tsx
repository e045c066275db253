import { createFileRoute } from '@tanstack/react-router'
import { ComparePage, viewOf } from '@/features/telemetry'

export const Route = createFileRoute('/_app/devices/compare')({
  validateSearch: viewOf,
  component: Page,
})

function Page() {
  const navigate = Route.useNavigate()
  return (
    <ComparePage
      view={Route.useSearch()}
      onView={(search) => void navigate({ search, replace: true })}
    />
  )
}
