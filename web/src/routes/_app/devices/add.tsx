import { createFileRoute, useNavigate } from '@tanstack/react-router'
import { AddDevicePage } from '@/features/provisioning'

export const Route = createFileRoute('/_app/devices/add')({
  validateSearch: ({ code }: Record<string, unknown>): { code?: string } =>
    typeof code === 'string' ? { code } : {},
  component: Page,
})

function Page() {
  const { code } = Route.useSearch()
  const navigate = useNavigate()
  return (
    <AddDevicePage
      codeId={code}
      onCode={(id) => void navigate({ to: '/devices/add', search: id ? { code: id } : {} })}
    />
  )
}
