import { createFileRoute } from '@tanstack/react-router'
import {
  EXECUTION_STATES,
  type ExecutionFilters,
  type ExecutionState,
  ExecutionsPage,
} from '@/features/executions'

interface Search extends ExecutionFilters {
  execution?: string
}

export const Route = createFileRoute('/_app/devices/$deviceId/executions')({
  validateSearch: ({ execution, status, flow_id }: Record<string, unknown>): Search => ({
    ...(EXECUTION_STATES.includes(status as ExecutionState)
      ? { status: status as ExecutionState }
      : {}),
    ...(flow_id ? { flow_id: String(flow_id) } : {}),
    ...(execution ? { execution: String(execution) } : {}),
  }),
  component: Page,
})

function Page() {
  const { deviceId } = Route.useParams()
  const { execution, ...filters } = Route.useSearch()
  const navigate = Route.useNavigate()
  return (
    <ExecutionsPage
      deviceId={deviceId}
      filters={filters}
      onFilters={(search) => void navigate({ search, replace: true })}
      executionId={execution}
      onOpen={(id) => void navigate({ search: id ? { ...filters, execution: id } : filters })}
    />
  )
}
