import { createFileRoute } from '@tanstack/react-router'
import { UsagePage } from '@/features/organizations'

export const Route = createFileRoute('/_app/organization/usage')({ component: UsagePage })
