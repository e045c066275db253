import { Button, CloseButton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { took } from '@/lib/format'
import { useLiveState } from '@/lib/live'
import { Failed, JsonView, Lines, Note, Panel, Refused, RelativeTime } from '@/ui'
import { type Command, isRunning, tookSeconds } from '../model'
import { commandQuery, useCancelCommand } from '../queries'
import css from './commands.module.css'
import { StatusPill } from './StatusPill'

interface CommandResultProps {
  deviceId: string
  commandId: string
  onClose: () => void
}

/** One command from start to answer, kept current. */
export function CommandResult({ deviceId, commandId, onClose }: CommandResultProps) {
  const { t } = useTranslation()
  const live = useLiveState() === 'live'
  const query = useQuery({
    ...commandQuery(commandId),
    // The socket tells of the end; the slow look is for a message that got lost on the way.
    refetchInterval: ({ state }) =>
      state.data && !isRunning(state.data) ? false : live ? 5_000 : 1_000,
  })
  const cancel = useCancelCommand(deviceId, commandId)
  const command = query.data
  return (
    <Panel
      title={command ? command.action : t('commands.result')}
      actions={
        <>
          {command?.status === 'queued' && (
            <Button
              size="compact-sm"
              variant="default"
              loading={cancel.isPending}
              onClick={() => cancel.mutate()}
            >
              {t('commands.cancel')}
            </Button>
          )}
          <CloseButton aria-label={t('commands.close')} onClick={onClose} />
        </>
      }
    >
      {query.isPending ? (
        <Lines />
      ) : command ? (
        <Answer command={command} />
      ) : (
        <Failed error={query.error} onRetry={() => void query.refetch()} />
      )}
      {cancel.isError && <Refused error={cancel.error} />}
    </Panel>
  )
}

function Answer({ command }: { command: Command }) {
  const { t } = useTranslation()
  const seconds = tookSeconds(command)
  return (
    <>
      <div className={css.steps} role="status" aria-label={t('commands.result')}>
        <StatusPill status={command.status} />
        <span className="quiet">
          {t('commands.sent')} <RelativeTime iso={command.created_at} />
        </span>
        {seconds !== undefined && (
          <span className="quiet">{t('commands.took', { time: took(seconds) })}</span>
        )}
        <span className="mono quiet">{command.id}</span>
      </div>
      {command.error && command.status === 'failed' && (
        <Note tone="bad" title={t('commands.error')}>
          {command.error}
        </Note>
      )}
      <Outcome command={command} />
      {Object.keys(command.payload).length > 0 && (
        <>
          <h3 className={css.part}>{t('commands.payload')}</h3>
          <JsonView value={command.payload} label={t('commands.payload')} />
        </>
      )}
    </>
  )
}

/** What stands where an answer would be, for each way a command can stand. */
function Outcome({ command }: { command: Command }) {
  const { t } = useTranslation()
  switch (command.status) {
    case 'queued':
      return <p className="quiet">{t('commands.isQueued')}</p>
    case 'sent':
      return <p className="quiet">{t('commands.isSent')}</p>
    case 'expired':
      return <p className="quiet">{t('commands.isExpired')}</p>
    case 'cancelled':
      return <p className="quiet">{t('commands.isCancelled')}</p>
    case 'unknown':
      return <Note tone="wait">{t('commands.isUnknown')}</Note>
    case 'done':
    case 'failed':
      if (command.result === null || command.result === undefined) return null
      return (
        <>
          <h3 className={css.part}>{t('commands.answer')}</h3>
          <JsonView value={command.result} label={t('commands.answer')} />
        </>
      )
  }
}
