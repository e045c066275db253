import { SegmentedControl, TextInput } from '@mantine/core'
import { IconRoute } from '@tabler/icons-react'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { took } from '@/lib/format'
import { useTopic } from '@/lib/live'
import { Blank, type Column, More, Panel, Pill, Reading, RelativeTime, Table } from '@/ui'
import {
  EXECUTION_STATES,
  type Execution,
  type ExecutionFilters,
  type ExecutionState,
  ranSeconds,
  toneOf,
} from './model'
import { ExecutionPanel } from './parts/ExecutionPanel'
import css from './parts/executions.module.css'
import { executionListQuery } from './queries'

interface ExecutionsPageProps {
  deviceId: string
  filters: ExecutionFilters
  onFilters: (filters: ExecutionFilters) => void
  /** The one that is open; part of the address. */
  executionId: string | undefined
  onOpen: (executionId: string | undefined) => void
}

const EVERY_MS = 10_000

/** What the flows of a device did: runs, and of each what its nodes did. */
export function ExecutionsPage(props: ExecutionsPageProps) {
  const { deviceId, filters, onFilters, executionId, onOpen } = props
  const { t } = useTranslation()
  const query = useInfiniteQuery({
    ...executionListQuery(deviceId, filters),
    refetchInterval: EVERY_MS,
  })
  useTopic(`devices/${deviceId}/executions`, () => void query.refetch())
  const filtered = Boolean(filters.status || filters.flow_id)
  const columns: Column<Execution>[] = [
    {
      id: 'flow',
      header: t('executions.flow'),
      cell: (run) => (
        <button type="button" className={css.open} onClick={() => onOpen(run.execution_id)}>
          {run.flow_name || run.flow_id}
        </button>
      ),
    },
    {
      id: 'status',
      header: t('executions.state'),
      cell: ({ status }) => <Pill tone={toneOf(status)}>{t(`executions.states.${status}`)}</Pill>,
    },
    { id: 'trigger', header: t('executions.trigger'), cell: ({ trigger }) => trigger || null },
    {
      id: 'began',
      header: t('executions.began'),
      cell: ({ started_at }) => <RelativeTime iso={started_at} />,
    },
    {
      id: 'took',
      header: t('executions.took'),
      end: true,
      cell: (run) => {
        const seconds = ranSeconds(run)
        return seconds === undefined ? null : took(seconds)
      },
    },
  ]
  return (
    <div className={css.stack}>
      <div className={css.filters}>
        <SegmentedControl
          size="xs"
          aria-label={t('executions.state')}
          value={filters.status ?? 'all'}
          onChange={(value) => {
            const { status: _status, ...rest } = filters
            onFilters(value === 'all' ? rest : { ...rest, status: value as ExecutionState })
          }}
          data={[
            { value: 'all', label: t('devices.all') },
            ...EXECUTION_STATES.map((value) => ({
              value,
              label: t(`executions.states.${value}`),
            })),
          ]}
        />
        <TextInput
          size="xs"
          aria-label={t('executions.flowId')}
          placeholder={t('executions.flowId')}
          defaultValue={filters.flow_id ?? ''}
          onBlur={(event) => {
            const { flow_id: _flow, ...rest } = filters
            const wanted = event.currentTarget.value.trim()
            if (wanted !== (filters.flow_id ?? '')) {
              onFilters(wanted ? { ...rest, flow_id: wanted } : rest)
            }
          }}
          onKeyDown={(event) => event.key === 'Enter' && event.currentTarget.blur()}
        />
      </div>
      {executionId && (
        <ExecutionPanel
          key={executionId}
          deviceId={deviceId}
          executionId={executionId}
          onClose={() => onOpen(undefined)}
        />
      )}
      <Panel title={t('executions.title')} flush>
        <Reading query={query}>
          {({ items }) =>
            items.length === 0 ? (
              <Blank
                icon={<IconRoute size={22} stroke={1.6} />}
                title={t(filtered ? 'executions.noneFound' : 'executions.none')}
              >
                {t(filtered ? 'executions.noneFoundHint' : 'executions.noneHint')}
              </Blank>
            ) : (
              <Table
                label={t('executions.title')}
                columns={columns}
                rows={items}
                rowKey={({ execution_id }) => execution_id}
              />
            )
          }
        </Reading>
        <More query={query} />
      </Panel>
    </div>
  )
}
