import { createFileRoute } from '@tanstack/react-router'
import { MfaPage } from '@/features/members'

export const Route = createFileRoute('/_app/organization/security')({ component: MfaPage })
