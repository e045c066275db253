import { createFileRoute } from '@tanstack/react-router'
import { GroupPage } from '@/features/groups'

export const Route = createFileRoute('/_app/groups/$groupId')({ component: Page })

function Page() {
  const { groupId } = Route.useParams()
  return <GroupPage key={groupId} groupId={groupId} />
}
