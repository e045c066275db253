import { createFileRoute } from '@tanstack/react-router'
import { Logo } from '@/app/Logo'
import { useLinkToken } from '@/app/useLinkToken'
import { VerifyEmailPage } from '@/features/auth'

export const Route = createFileRoute('/verify-email')({ component: Page })

function Page() {
  const token = useLinkToken()
  return <VerifyEmailPage key={token} mark={<Logo />} token={token} />
}
