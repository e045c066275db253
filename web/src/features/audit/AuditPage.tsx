import { Button, Menu } from '@mantine/core'
import { IconDownload, IconHistory, IconShieldCheck } from '@tabler/icons-react'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { MayNot, useMay } from '@/features/auth'
import { nameOf, useMembers } from '@/features/members'
import { Blank, type Column, More, Panel, Pill, Reading, Refused, RelativeTime, Table } from '@/ui'
import { type AuditFilters, type Entry, isNarrowed } from './model'
import css from './parts/audit.module.css'
import { EntryDetails } from './parts/EntryDetails'
import { Filters } from './parts/Filters'
import { Verdict } from './parts/Verdict'
import { auditQuery, useExport, useVerify } from './queries'

interface AuditPageProps {
  filters: AuditFilters
  onFilters: (filters: AuditFilters) => void
}

/** Entries come with every action: a list that is open follows at this pace. */
const EVERY_MS = 10_000

export function AuditPage(props: AuditPageProps) {
  const { t } = useTranslation()
  const may = useMay('audit:view')
  if (may === false) return <MayNot permission="audit:view" toDo={t('audit.mayNot')} />
  return may && <Log {...props} />
}

function Log({ filters, onFilters }: AuditPageProps) {
  const { t } = useTranslation()
  const log = useInfiniteQuery({ ...auditQuery(filters), refetchInterval: EVERY_MS })
  const members = useMembers()
  const [open, setOpen] = useState<Entry | null>(null)
  const verify = useVerify()
  const save = useExport(filters)
  const nameOfActor = ({ actor }: Entry) => {
    const member = members.find(({ user_id }) => user_id === actor.id)
    if (member) return nameOf(member)
    return actor.kind === 'system' ? t('audit.platform') : <span className="mono">{actor.id}</span>
  }
  const columns: Column<Entry>[] = [
    {
      id: 'action',
      header: t('audit.action'),
      cell: (entry) => (
        <button type="button" className={css.open} onClick={() => setOpen(entry)}>
          <span className="mono">{entry.action}</span>
        </button>
      ),
    },
    { id: 'actor', header: t('audit.who'), cell: nameOfActor },
    {
      id: 'resource',
      header: t('audit.what'),
      cell: ({ resource_type, resource_id }) => (
        <>
          {resource_type} <span className="mono quiet">{resource_id}</span>
        </>
      ),
    },
    {
      id: 'status',
      header: t('audit.status'),
      cell: ({ status }) =>
        status === 'failure' ? <Pill tone="bad">{t('audit.failure')}</Pill> : t('audit.success'),
    },
    {
      id: 'time',
      header: t('audit.when'),
      cell: ({ timestamp }) => <RelativeTime iso={timestamp} />,
    },
  ]
  return (
    <div className={css.stack}>
      <Filters filters={filters} members={members} onFilters={onFilters} />
      {verify.data && <Verdict result={verify.data} />}
      {(verify.error ?? save.error) && <Refused error={verify.error ?? save.error} />}
      <Panel
        title={t('audit.title')}
        flush
        actions={
          <>
            <Button
              size="compact-md"
              variant="default"
              leftSection={<IconShieldCheck size={15} />}
              loading={verify.isPending}
              onClick={() => verify.mutate()}
            >
              {t('audit.verify')}
            </Button>
            <Menu position="bottom-end" width={280}>
              <Menu.Target>
                <Button
                  size="compact-md"
                  variant="default"
                  leftSection={<IconDownload size={15} />}
                  loading={save.isPending}
                >
                  {t('audit.export')}
                </Button>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item onClick={() => save.mutate('csv')}>
                  {t(isNarrowed(filters) ? 'audit.csvFiltered' : 'audit.csv')}
                </Menu.Item>
                <Menu.Item onClick={() => save.mutate('json')}>
                  {t(isNarrowed(filters) ? 'audit.jsonFiltered' : 'audit.json')}
                </Menu.Item>
                <Menu.Item onClick={() => save.mutate('jsonl')}>{t('audit.jsonl')}</Menu.Item>
              </Menu.Dropdown>
            </Menu>
          </>
        }
      >
        <Reading query={log} lines={8}>
          {({ items }) =>
            items.length === 0 ? (
              <Blank
                icon={<IconHistory size={22} stroke={1.6} />}
                title={t('audit.none')}
                actions={
                  isNarrowed(filters) && (
                    <Button variant="default" onClick={() => onFilters({})}>
                      {t('devices.clearFilters')}
                    </Button>
                  )
                }
              />
            ) : (
              <Table
                label={t('audit.title')}
                columns={columns}
                rows={items}
                rowKey={({ id }) => id}
              />
            )
          }
        </Reading>
        <More query={log} />
      </Panel>
      {open && (
        <EntryDetails entry={open} actor={nameOfActor(open)} onClose={() => setOpen(null)} />
      )}
    </div>
  )
}
