import { createFileRoute } from '@tanstack/react-router'
import { COMMAND_STATES, type CommandFilters, CommandsPage, isDay } from '@/features/commands'

interface Search extends CommandFilters {
  command?: string
}
type State = (typeof COMMAND_STATES)[number]

export const Route = createFileRoute('/_app/devices/$deviceId/commands')({
  validateSearch: ({ command, status, action, from, to }: Record<string, unknown>): Search => ({
    ...(command ? { command: String(command) } : {}),
    ...(COMMAND_STATES.includes(status as State) ? { status: status as State } : {}),
    ...(action ? { action: String(action) } : {}),
    ...(isDay(from) ? { from } : {}),
    ...(isDay(to) ? { to } : {}),
  }),
  component: Page,
})

function Page() {
  const { deviceId } = Route.useParams()
  const { command, ...filters } = Route.useSearch()
  const navigate = Route.useNavigate()
  return (
    <CommandsPage
      deviceId={deviceId}
      commandId={command}
      onOpen={(id) => void navigate({ search: id ? { ...filters, command: id } : filters })}
      filters={filters}
      onFilters={(next) =>
        void navigate({ search: command ? { ...next, command } : next, replace: true })
      }
    />
  )
}
