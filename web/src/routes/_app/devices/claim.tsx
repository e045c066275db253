import { createFileRoute } from '@tanstack/react-router'
import { ClaimPage } from '@/features/provisioning'

export const Route = createFileRoute('/_app/devices/claim')({ component: ClaimPage })
