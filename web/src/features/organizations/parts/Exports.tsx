import { Button } from '@mantine/core'
import { IconDownload } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import type { ExportDocument } from '@/api/generated'
import { bytes } from '@/lib/format'
import { type Column, Panel, Pill, Reading, Refused, RelativeTime, Table } from '@/ui'
import { exportListQuery, useCreateExport, useExportLink } from '../queries'
import css from './organizations.module.css'

const TONES = { waiting: 'wait', done: 'good', failed: 'bad' } as const
type ExportState = keyof typeof TONES

/** Archives of everything in the organization: ask for one, fetch it when it is written. */
export function Exports({ organizationId }: { organizationId: string }) {
  const { t, i18n } = useTranslation()
  const exports = useQuery(exportListQuery(organizationId))
  const create = useCreateExport(organizationId)
  const link = useExportLink(organizationId)
  const fetchIt = (id: string) =>
    link.mutate(id, { onSuccess: (url) => url && window.location.assign(url) })
  const columns: Column<ExportDocument>[] = [
    {
      id: 'made',
      header: t('exports.made'),
      cell: ({ created_at }) => <RelativeTime iso={created_at} />,
    },
    {
      id: 'state',
      header: t('exports.state'),
      cell: ({ state }) => (
        <Pill tone={TONES[state as ExportState] ?? 'plain'}>
          {t(`exports.states.${state as ExportState}`)}
        </Pill>
      ),
    },
    {
      id: 'size',
      header: t('exports.size'),
      cell: ({ size }) => (size === null ? null : bytes(size, i18n.language)),
    },
    {
      id: 'fetch',
      header: '',
      label: t('ui.download'),
      end: true,
      cell: ({ id, state }) =>
        state === 'done' && (
          <Button
            size="compact-sm"
            variant="default"
            leftSection={<IconDownload size={14} />}
            loading={link.isPending && link.variables === id}
            onClick={() => fetchIt(id)}
          >
            {t('ui.download')}
          </Button>
        ),
    },
  ]
  return (
    <Panel
      title={t('exports.title')}
      flush
      actions={
        <Button
          size="compact-sm"
          variant="default"
          loading={create.isPending}
          onClick={() => create.mutate()}
        >
          {t('exports.create')}
        </Button>
      }
    >
      <p className={css.remark}>{t('exports.hint')}</p>
      {(create.error ?? link.error) && <Refused error={create.error ?? link.error} />}
      <Reading query={exports} lines={2}>
        {(rows) =>
          rows.length > 0 && (
            <Table label={t('exports.title')} columns={columns} rows={rows} rowKey={(r) => r.id} />
          )
        }
      </Reading>
    </Panel>
  )
}
