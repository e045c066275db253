import { createFileRoute, Outlet } from '@tanstack/react-router'
import { DeviceLayout } from '@/features/devices'

export const Route = createFileRoute('/_app/devices/$deviceId')({ component: Page })

function Page() {
  const { deviceId } = Route.useParams()
  return (
    <DeviceLayout deviceId={deviceId}>
      <Outlet />
    </DeviceLayout>
  )
}
