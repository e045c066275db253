import { Tooltip } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { exact, relative } from '@/lib/format'
import { useNow } from '@/lib/useNow'

interface RelativeTimeProps {
  iso: string
  /** A time in the past: a clock that is a little behind must not show it in the future. */
  past?: boolean
}

/** "3 minutes ago", kept current; the exact time with its zone on hover and to screen readers. */
export function RelativeTime({ iso, past = true }: RelativeTimeProps) {
  const { i18n } = useTranslation()
  const shown = useNow((now) =>
    relative(iso, past ? Math.max(now, Date.parse(iso)) : now, i18n.language),
  )
  return (
    <Tooltip label={exact(iso, i18n.language)}>
      <time dateTime={iso}>{shown}</time>
    </Tooltip>
  )
}
