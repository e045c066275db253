import { createFileRoute, Outlet } from '@tanstack/react-router'
import { AccountLayout } from '@/features/account'

export const Route = createFileRoute('/_app/account')({
  component: () => (
    <AccountLayout>
      <Outlet />
    </AccountLayout>
  ),
})
