import type { QueryClient } from '@tanstack/react-query'
import { createRouter, type RouterHistory } from '@tanstack/react-router'
import { onSessionChange } from '@/lib/session'
import { NotFound, RouteFailed } from './RouteStates'
import { routeTree } from './route-tree.gen'

export function createAppRouter(queryClient: QueryClient, history?: RouterHistory) {
  const router = createRouter({
    routeTree,
    context: { queryClient },
    ...(history ? { history } : {}),
    defaultPreload: 'intent',
    scrollRestoration: true,
    defaultErrorComponent: RouteFailed,
    defaultNotFoundComponent: NotFound,
  })
  onSessionChange((change) => {
    if (change === 'in') return
    // Nothing of one person's may be seen by the next.
    queryClient.clear()
    const next =
      router.state.location.pathname === '/login' ? undefined : router.state.location.href
    void router.navigate({
      to: '/login',
      search: change === 'ended' ? { reason: 'expired', next } : {},
    })
  })
  return router
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createAppRouter>
  }
}
