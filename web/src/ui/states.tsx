import { Button, Skeleton, Stack } from '@mantine/core'
import {
  IconAlertTriangle,
  IconCircleCheck,
  IconInfoCircle,
  IconPlugConnectedX,
  IconRefresh,
} from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiProblem } from '@/lib/problem'
import type { Tone } from './marks'
import css from './ui.module.css'

interface BlankProps {
  icon: ReactNode
  title: string
  children?: ReactNode
  actions?: ReactNode
  tone?: Tone
}

/** A place with nothing in it, that says what to do. */
export function Blank({ icon, title, children, actions, tone }: BlankProps) {
  return (
    <div className={css.blank} data-tone={tone}>
      <div className={css.blankIcon}>{icon}</div>
      <strong>{title}</strong>
      {children && <p>{children}</p>}
      {actions && <div className={css.blankActions}>{actions}</div>}
    </div>
  )
}

/** What went wrong in words: the server's sentence where there is one. */
export function useProblemText(error: unknown): {
  title: string
  detail: string
  request?: string
} {
  const { t } = useTranslation()
  // A part of the console itself could not be fetched.
  if (error instanceof TypeError && /dynamically imported|module script/i.test(error.message)) {
    return { title: t('ui.unreachable'), detail: t('ui.unreachableHint') }
  }
  if (!(error instanceof ApiProblem)) {
    return { title: t('ui.broken'), detail: error instanceof Error ? error.message : String(error) }
  }
  if (error.unreachable) return { title: t('ui.unreachable'), detail: t('ui.unreachableHint') }
  // The sentence often tells of the field already.
  const fields = error.fields
    .filter(({ message }) => !error.detail?.includes(message))
    .map(({ field, message }) => (field ? `${field}: ${message}` : message))
  return {
    title: error.title,
    detail: [error.detail, ...fields].filter(Boolean).join(' · '),
    request: error.requestId,
  }
}

/** A part of the page that could not be read. */
export function Failed({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const { t } = useTranslation()
  const { title, detail, request } = useProblemText(error)
  return (
    <div role="alert">
      <Blank
        tone="bad"
        icon={<IconPlugConnectedX size={22} stroke={1.6} />}
        title={title}
        actions={
          onRetry && (
            <Button variant="default" onClick={onRetry} leftSection={<IconRefresh size={15} />}>
              {t('ui.retry')}
            </Button>
          )
        }
      >
        {detail}
        {request && <RequestId id={request} />}
      </Blank>
    </div>
  )
}

function RequestId({ id }: { id: string }) {
  const { t } = useTranslation()
  return (
    <span className="quiet" style={{ display: 'block', marginTop: 6, fontSize: 12 }}>
      {t('ui.requestId')} <span className="mono">{id}</span>
    </span>
  )
}

const NOTE_ICONS = { good: IconCircleCheck, bad: IconAlertTriangle, wait: IconAlertTriangle }

interface NoteProps {
  tone?: 'good' | 'bad' | 'wait' | 'plain'
  title?: string
  children?: ReactNode
  role?: 'alert' | 'status'
}

/** A remark inside a page: information, a warning, a refusal. */
export function Note({ tone = 'plain', title, children, role }: NoteProps) {
  const Icon = tone === 'plain' ? IconInfoCircle : NOTE_ICONS[tone]
  return (
    <div className={css.note} data-tone={tone} role={role}>
      <Icon size={18} stroke={1.7} aria-hidden />
      <div className={css.noteBody}>
        {title && <strong>{title}</strong>}
        {children}
      </div>
    </div>
  )
}

/** A refusal of something the reader just did, next to where it was done. */
export function Refused({ error }: { error: unknown }) {
  const { title, detail, request } = useProblemText(error)
  return (
    <Note tone="bad" title={title} role="alert">
      {detail}
      {request && <RequestId id={request} />}
    </Note>
  )
}

/** The quiet shape of text that is on its way. */
export function Lines({ count = 4 }: { count?: number }) {
  const { t } = useTranslation()
  return (
    <Stack gap={10} role="status" aria-label={t('ui.loading')}>
      {Array.from({ length: count }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: identical bars, never reordered
        <Skeleton key={index} height={12} width={`${88 - ((index * 23) % 46)}%`} />
      ))}
    </Stack>
  )
}
