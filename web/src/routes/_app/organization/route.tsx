import { createFileRoute, Outlet } from '@tanstack/react-router'
import { OrganizationLayout } from '@/features/organizations'

export const Route = createFileRoute('/_app/organization')({
  component: () => (
    <OrganizationLayout>
      <Outlet />
    </OrganizationLayout>
  ),
})
