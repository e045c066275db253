import { useTranslation } from 'react-i18next'
import type { VerificationDocument } from '@/api/generated'
import { Note } from '@/ui'

/** What a verification found, in a sentence, with the hash to compare with one that was noted elsewhere. */
export function Verdict({ result }: { result: VerificationDocument }) {
  const { t, i18n } = useTranslation()
  const count = result.verified_to.toLocaleString(i18n.language)
  if (!result.ok) {
    return (
      <Note tone="bad" title={t('audit.broken')} role="alert">
        {result.broken?.message}{' '}
        {result.broken?.sequence != null && t('audit.at', { sequence: result.broken.sequence })}
      </Note>
    )
  }
  return (
    <Note
      tone={result.complete ? 'good' : 'wait'}
      title={t(result.complete ? 'audit.whole' : 'audit.partly', { entries: count })}
      role="status"
    >
      {t('audit.checkpoints', { count: result.checkpoints })}{' '}
      {result.unsealed > 0 && t('audit.waiting', { count: result.unsealed })}
      <div className="mono" style={{ overflowWrap: 'anywhere' }}>
        {result.head}
      </div>
    </Note>
  )
}
