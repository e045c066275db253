import { createFileRoute, redirect, useRouter } from '@tanstack/react-router'
import { Logo } from '@/app/Logo'
import { isReason, LoginPage, type LoginReason, safeNext } from '@/features/auth'
import { hasSession } from '@/lib/session'

interface LoginSearch {
  next?: string
  reason?: LoginReason
}

export const Route = createFileRoute('/login')({
  validateSearch: ({ next, reason }: Record<string, unknown>): LoginSearch => ({
    ...(typeof next === 'string' ? { next } : {}),
    ...(isReason(reason) ? { reason } : {}),
  }),
  beforeLoad: ({ search }) => {
    if (hasSession()) throw redirect({ href: safeNext(search.next) })
  },
  component: Page,
})

function Page() {
  const { next, reason } = Route.useSearch()
  const router = useRouter()
  return (
    <LoginPage
      mark={<Logo />}
      reason={reason}
      onSignedIn={() => router.history.push(safeNext(next))}
    />
  )
}
