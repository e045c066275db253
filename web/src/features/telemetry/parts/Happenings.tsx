import type { UseQueryResult } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import type { DeviceEventDocument } from '@/api/generated'
import { type Column, Failed, Panel, Pill, RelativeTime, Table } from '@/ui'

type Level = 'info' | 'warning' | 'error'
export const toneOf = (level: string): 'bad' | 'wait' | 'plain' =>
  level === 'error' ? 'bad' : level === 'warning' ? 'wait' : 'plain'

interface HappeningsProps {
  deviceId: string
  query: UseQueryResult<DeviceEventDocument[]>
}

/** What the device told of in the window: the marks of the charts in words. */
export function Happenings({ query }: HappeningsProps) {
  const { t } = useTranslation()
  if (query.isError) {
    return (
      <Panel title={t('telemetry.events')}>
        <Failed error={query.error} onRetry={() => void query.refetch()} />
      </Panel>
    )
  }
  if (!query.data || query.data.length === 0) return null
  const columns: Column<DeviceEventDocument>[] = [
    {
      id: 'when',
      header: t('telemetry.when'),
      cell: ({ time }) => <RelativeTime iso={time} />,
    },
    {
      id: 'level',
      header: t('logs.level'),
      cell: ({ level }) => <Pill tone={toneOf(level)}>{t(`logs.levels.${level as Level}`)}</Pill>,
    },
    {
      id: 'code',
      header: t('telemetry.code'),
      cell: ({ code }) => <span className="mono">{code}</span>,
    },
    { id: 'message', header: t('logs.message'), cell: ({ message }) => message },
  ]
  return (
    <Panel title={t('telemetry.events')} flush>
      <Table
        label={t('telemetry.events')}
        columns={columns}
        rows={query.data}
        rowKey={({ time, code, message }) => `${time} ${code} ${message}`}
      />
    </Panel>
  )
}
