import { createFileRoute } from '@tanstack/react-router'
import { Logo } from '@/app/Logo'
import { useLinkToken } from '@/app/useLinkToken'
import { AcceptInvitationPage } from '@/features/members'

export const Route = createFileRoute('/accept-invitation')({ component: Page })

function Page() {
  const token = useLinkToken()
  return (
    <AcceptInvitationPage
      key={token}
      mark={<Logo />}
      token={token}
      // Another organization than before, perhaps: nothing that is in memory is true of it.
      onEntered={() => window.location.assign('/')}
    />
  )
}
