import { Autocomplete, Button, Select, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { IconTerminal2 } from '@tabler/icons-react'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { took } from '@/lib/format'
import { usePollWhenNotLive } from '@/lib/live'
import { Blank, Failed, Lines, Panel, RelativeTime } from '@/ui'
import { ACTION_NAMES, COMMAND_STATES, type CommandFilters, isDay, tookSeconds } from '../model'
import { commandListQuery } from '../queries'
import css from './commands.module.css'
import { StatusPill } from './StatusPill'

interface HistoryProps {
  deviceId: string
  openId: string | undefined
  onOpen: (commandId: string) => void
  filters: CommandFilters
  onFilters: (filters: CommandFilters) => void
}

/** What was run, what waits, and what came of it. */
export function History({ deviceId, openId, onOpen, filters, onFilters }: HistoryProps) {
  const { t } = useTranslation()
  const poll = usePollWhenNotLive(5_000)
  const query = useInfiniteQuery({ ...commandListQuery(deviceId, filters), refetchInterval: poll })
  const filtered = Boolean(filters.status || filters.action || filters.from || filters.to)
  const commands = query.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <Panel title={t('commands.history')} flush>
      <Filters filters={filters} onFilters={onFilters} />
      {query.isPending ? (
        <div style={{ padding: 16 }}>
          <Lines count={5} />
        </div>
      ) : query.isError && commands.length === 0 ? (
        <Failed error={query.error} onRetry={() => void query.refetch()} />
      ) : commands.length === 0 ? (
        <Blank
          icon={<IconTerminal2 size={22} stroke={1.6} />}
          title={t(filtered ? 'commands.noneFound' : 'commands.none')}
        >
          {t(filtered ? 'commands.noneFoundHint' : 'commands.noneHint')}
        </Blank>
      ) : (
        <ul className={css.list} aria-label={t('commands.history')}>
          {commands.map((command) => {
            const seconds = tookSeconds(command)
            return (
              <li key={command.id}>
                <button
                  type="button"
                  className={css.entry}
                  aria-current={command.id === openId}
                  onClick={() => onOpen(command.id)}
                >
                  <span>
                    <StatusPill status={command.status} />
                  </span>
                  <span className="mono">{command.action}</span>
                  <span className="quiet">{seconds !== undefined && took(seconds)}</span>
                  <span className="quiet">
                    <RelativeTime iso={command.created_at} />
                  </span>
                </button>
              </li>
            )
          })}
        </ul>
      )}
      {query.hasNextPage && (
        <div className={css.more}>
          <Button
            variant="subtle"
            loading={query.isFetchingNextPage}
            onClick={() => void query.fetchNextPage()}
          >
            {query.isFetchNextPageError ? t('ui.retry') : t('commands.more')}
          </Button>
        </div>
      )}
    </Panel>
  )
}

const TYPING_MS = 300

interface FiltersProps {
  filters: CommandFilters
  onFilters: (filters: CommandFilters) => void
}

function Filters({ filters, onFilters }: FiltersProps) {
  const { t } = useTranslation()
  const { status: _status, ...withoutStatus } = filters
  const { action: _action, ...withoutAction } = filters
  const day = (name: 'from' | 'to') => (
    <TextInput
      size="xs"
      type="date"
      label={t(`commands.${name}`)}
      value={filters[name] ?? ''}
      {...(name === 'from' ? { max: filters.to } : { min: filters.from })}
      onChange={(event) => {
        const { [name]: _day, ...rest } = filters
        const value = event.currentTarget.value
        onFilters(isDay(value) ? { ...rest, [name]: value } : rest)
      }}
    />
  )
  const setAction = useDebouncedCallback(
    (action: string) => onFilters(action ? { ...withoutAction, action } : withoutAction),
    TYPING_MS,
  )
  return (
    <div className={css.filters}>
      <Autocomplete
        size="xs"
        label={t('commands.action')}
        placeholder={t('commands.any')}
        data={ACTION_NAMES}
        defaultValue={filters.action ?? ''}
        onChange={(value) => setAction(value.trim())}
      />
      <Select
        size="xs"
        label={t('commands.state')}
        placeholder={t('commands.any')}
        data={COMMAND_STATES.map((value) => ({ value, label: t(`commands.status.${value}`) }))}
        clearable
        value={filters.status ?? null}
        onChange={(value) =>
          onFilters(
            value
              ? { ...withoutStatus, status: value as (typeof COMMAND_STATES)[number] }
              : withoutStatus,
          )
        }
      />
      {day('from')}
      {day('to')}
    </div>
  )
}
