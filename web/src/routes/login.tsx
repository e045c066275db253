import { createFileRoute, redirect, useRouter } from '@tanstack/react-router'
import { Logo } from '@/app/Logo'
import { isReason, LoginPage, type LoginReason, safeNext } from '@/features/auth'
import { hasSession } from '@/lib/session'

interface LoginSearch {
  next?: string
  reason?: LoginReason
  /** The organization to enter. */
  organization?: string
}

export const Route = createFileRoute('/login')({
  validateSearch: ({ next, reason, organization }: Record<string, unknown>): LoginSearch => ({
    ...(typeof next === 'string' ? { next } : {}),
    ...(isReason(reason) ? { reason } : {}),
    ...(typeof organization === 'string' ? { organization } : {}),
  }),
  beforeLoad: ({ search }) => {
    if (hasSession()) throw redirect({ href: safeNext(search.next) })
  },
  component: Page,
})

function Page() {
  const { next, reason, organization } = Route.useSearch()
  const router = useRouter()
  return (
    <LoginPage
      mark={<Logo />}
      reason={reason}
      organizationId={organization}
      onSignedIn={() => router.history.push(safeNext(next))}
    />
  )
}
