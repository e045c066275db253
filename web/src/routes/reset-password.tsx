import { createFileRoute } from '@tanstack/react-router'
import { Logo } from '@/app/Logo'
import { useLinkToken } from '@/app/useLinkToken'
import { ResetPasswordPage } from '@/features/auth'

export const Route = createFileRoute('/reset-password')({ component: Page })

function Page() {
  const token = useLinkToken()
  return <ResetPasswordPage key={token} mark={<Logo />} token={token} />
}
