import { createFileRoute } from '@tanstack/react-router'
import { Logo } from '@/app/Logo'
import { ForgotPasswordPage } from '@/features/auth'

export const Route = createFileRoute('/forgot-password')({
  component: () => <ForgotPasswordPage mark={<Logo />} />,
})
