import { createFileRoute, redirect, useNavigate } from '@tanstack/react-router'
import { Logo } from '@/app/Logo'
import { SignUpPage } from '@/features/auth'
import { hasSession } from '@/lib/session'

export const Route = createFileRoute('/sign-up')({
  beforeLoad: () => {
    if (hasSession()) throw redirect({ to: '/' })
  },
  component: Page,
})

function Page() {
  const navigate = useNavigate()
  return <SignUpPage mark={<Logo />} onSignedIn={() => void navigate({ to: '/' })} />
}
