import { Button } from '@mantine/core'
import { IconArrowsDiff, IconHistory, IconPencil } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { useMay } from '@/features/auth'
import { usePollWhenNotLive } from '@/lib/live'
import { Blank, Failed, Lines, Panel, Pill, RelativeTime } from '@/ui'
import { pendingCount, rowsOf } from './model'
import { DesiredEditor } from './parts/DesiredEditor'
import { ShadowTable } from './parts/ShadowTable'
import { shadowQuery } from './queries'

interface ShadowPageProps {
  deviceId: string
  editing: boolean
  onEditing: (editing: boolean) => void
}

/** What is wanted beside what is so, and the editor of what is wanted. */
export function ShadowPage({ deviceId, editing, onEditing }: ShadowPageProps) {
  const { t } = useTranslation()
  const may = useMay('devices:manage') ?? false
  const poll = usePollWhenNotLive(5_000)
  const shadow = useQuery({ ...shadowQuery(deviceId), refetchInterval: poll })

  if (shadow.isPending) {
    return (
      <Panel title={t('shadows.title')}>
        <Lines count={8} />
      </Panel>
    )
  }
  if (!shadow.data) return <Failed error={shadow.error} onRetry={() => void shadow.refetch()} />
  if (editing && may) {
    return (
      <DesiredEditor deviceId={deviceId} shadow={shadow.data} onClose={() => onEditing(false)} />
    )
  }

  const rows = rowsOf(shadow.data)
  const pending = pendingCount(rows)
  const edit = may && (
    <Button
      size="compact-sm"
      variant="default"
      leftSection={<IconPencil size={14} />}
      onClick={() => onEditing(true)}
    >
      {t('shadows.edit')}
    </Button>
  )
  return (
    <Panel
      title={t('shadows.title')}
      flush
      actions={
        <>
          <span className="quiet">
            {t('shadows.version', { version: shadow.data.version })} ·{' '}
            <RelativeTime iso={shadow.data.updated_at} />
          </span>
          {rows.some((row) => row.state !== 'reported') && (
            <Pill tone={pending > 0 ? 'wait' : 'good'}>
              {pending > 0 ? t('shadows.pending', { count: pending }) : t('shadows.inStep')}
            </Pill>
          )}
          <Button
            size="compact-sm"
            variant="default"
            leftSection={<IconHistory size={14} />}
            renderRoot={(props) => (
              <Link to="/devices/$deviceId/shadow/history" params={{ deviceId }} {...props} />
            )}
          >
            {t('shadows.history.title')}
          </Button>
          {edit}
        </>
      }
    >
      {rows.length === 0 ? (
        <Blank
          icon={<IconArrowsDiff size={22} stroke={1.6} />}
          title={t('shadows.none')}
          actions={edit}
        >
          {t('shadows.noneHint')}
        </Blank>
      ) : (
        <ShadowTable rows={rows} />
      )}
    </Panel>
  )
}
