import { createFileRoute } from '@tanstack/react-router'
import { ShadowPage } from '@/features/shadows'

export const Route = createFileRoute('/_app/devices/$deviceId/shadow')({
  validateSearch: ({ edit }: Record<string, unknown>): { edit?: true } =>
    edit === true ? { edit } : {},
  component: Page,
})

function Page() {
  const { deviceId } = Route.useParams()
  const { edit = false } = Route.useSearch()
  const navigate = Route.useNavigate()
  const onEditing = (next: boolean) => void navigate({ search: next ? { edit: true } : {} })
  return <ShadowPage deviceId={deviceId} editing={edit} onEditing={onEditing} />
}
