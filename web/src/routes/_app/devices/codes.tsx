import { createFileRoute } from '@tanstack/react-router'
import { CodesPage } from '@/features/provisioning'

type Status = 'unused' | 'used' | 'expired'
const STATES: readonly Status[] = ['unused', 'used', 'expired']

export const Route = createFileRoute('/_app/devices/codes')({
  validateSearch: ({ status }: Record<string, unknown>): { status?: Status } =>
    STATES.includes(status as Status) ? { status: status as Status } : {},
  component: Page,
})

function Page() {
  const { status } = Route.useSearch()
  const navigate = Route.useNavigate()
  return (
    <CodesPage
      status={status}
      onStatus={(next) => void navigate({ search: next ? { status: next } : {}, replace: true })}
    />
  )
}
