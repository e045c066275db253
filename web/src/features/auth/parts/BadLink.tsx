import { useTranslation } from 'react-i18next'
import { Note } from '@/ui'

/** The address lacks the part that the mail's link has. */
export function BadLink() {
  const { t } = useTranslation()
  return (
    <Note tone="wait" title={t('auth.noToken')} role="alert">
      {t('auth.noTokenHint')}
    </Note>
  )
}
