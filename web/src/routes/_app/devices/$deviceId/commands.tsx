import { createFileRoute } from '@tanstack/react-router'
import { CommandsPage } from '@/features/commands'

export const Route = createFileRoute('/_app/devices/$deviceId/commands')({
  validateSearch: ({ command }: Record<string, unknown>): { command?: string } =>
    typeof command === 'string' ? { command } : {},
  component: Page,
})

function Page() {
  const { deviceId } = Route.useParams()
  const { command } = Route.useSearch()
  const navigate = Route.useNavigate()
  return (
    <CommandsPage
      deviceId={deviceId}
      commandId={command}
      onOpen={(id) => void navigate({ search: id ? { command: id } : {} })}
    />
  )
}
