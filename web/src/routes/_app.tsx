import { createFileRoute, Outlet, redirect } from '@tanstack/react-router'
import { Shell } from '@/app/Shell'
import { LiveProvider } from '@/lib/live'
import { accessToken, freshToken } from '@/lib/session'

/** Everything behind the login. */
export const Route = createFileRoute('/_app')({
  beforeLoad: async ({ location }) => {
    const token = accessToken() ?? (await freshToken(null))
    if (!token) throw redirect({ to: '/login', search: { next: location.href } })
  },
  component: () => (
    <LiveProvider>
      <Shell>
        <Outlet />
      </Shell>
    </LiveProvider>
  ),
})
