import { Button } from '@mantine/core'
import { IconTerminal2 } from '@tabler/icons-react'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { took } from '@/lib/format'
import { usePollWhenNotLive } from '@/lib/live'
import { Blank, Failed, Lines, Panel, RelativeTime } from '@/ui'
import { tookSeconds } from '../model'
import { commandListQuery } from '../queries'
import css from './commands.module.css'
import { StatusPill } from './StatusPill'

interface HistoryProps {
  deviceId: string
  openId: string | undefined
  onOpen: (commandId: string) => void
}

export function History({ deviceId, openId, onOpen }: HistoryProps) {
  const { t } = useTranslation()
  const poll = usePollWhenNotLive(5_000)
  const query = useInfiniteQuery({ ...commandListQuery(deviceId), refetchInterval: poll })
  const commands = query.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <Panel title={t('commands.history')} flush>
      {query.isPending ? (
        <div style={{ padding: 16 }}>
          <Lines count={5} />
        </div>
      ) : query.isError && commands.length === 0 ? (
        <Failed error={query.error} onRetry={() => void query.refetch()} />
      ) : commands.length === 0 ? (
        <Blank icon={<IconTerminal2 size={22} stroke={1.6} />} title={t('commands.none')}>
          {t('commands.noneHint')}
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
