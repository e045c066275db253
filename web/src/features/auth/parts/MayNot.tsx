import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { Note } from '@/ui'
import { profileQuery } from '../queries'

/** Says why a page shows without its buttons, or not at all: which permission is missing, and who can give it. */
export function MayNot({ permission, toDo }: { permission: string; toDo: string }) {
  const { t } = useTranslation()
  const { data } = useQuery(profileQuery)
  if (!data || data.permissions.includes(permission)) return null
  return (
    <div style={{ marginBottom: 16 }}>
      <Note title={toDo}>
        {t('auth.mayNot', { role: t(`roles.${data.role}.name`) })}{' '}
        <code className="mono">{permission}</code>. {t('auth.mayNotHint')}
      </Note>
    </div>
  )
}
