import { createFileRoute } from '@tanstack/react-router'
import { GeneralPage } from '@/features/organizations'

export const Route = createFileRoute('/_app/organization/')({ component: GeneralPage })
