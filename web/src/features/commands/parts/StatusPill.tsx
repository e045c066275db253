import { useTranslation } from 'react-i18next'
import { Dot, Pill } from '@/ui'
import { type Command, toneOf } from '../model'

export function StatusPill({ status }: { status: Command['status'] }) {
  const { t } = useTranslation()
  const running = status === 'queued' || status === 'sent'
  return (
    <Pill tone={toneOf(status)}>
      {running && <Dot tone="wait" pulse />}
      {t(`commands.status.${status}`)}
    </Pill>
  )
}
