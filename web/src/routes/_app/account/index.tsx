import { createFileRoute } from '@tanstack/react-router'
import { languages, setLanguage } from '@/app/i18n'
import { ProfilePage } from '@/features/account'

export const Route = createFileRoute('/_app/account/')({
  component: () => (
    <ProfilePage languages={languages} onLanguage={(code) => void setLanguage(code)} />
  ),
})
