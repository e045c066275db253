import { useTranslation } from 'react-i18next'
import { MayNot, useMay } from '@/features/auth'
import type { CommandFilters } from './model'
import { CommandResult } from './parts/CommandResult'
import css from './parts/commands.module.css'
import { History } from './parts/History'
import { Runner } from './parts/Runner'

interface CommandsPageProps {
  deviceId: string
  /** The command that is open; part of the address, so that a result can be sent to a colleague. */
  commandId: string | undefined
  onOpen: (commandId: string | undefined) => void
  filters: CommandFilters
  onFilters: (filters: CommandFilters) => void
}

/** Runs commands on one device, shows the open one's result and what was run before. */
export function CommandsPage(props: CommandsPageProps) {
  const { deviceId, commandId, onOpen, filters, onFilters } = props
  const { t } = useTranslation()
  const may = useMay('devices:manage')
  return (
    <div className={css.page}>
      {may === false ? (
        <MayNot permission="devices:manage" toDo={t('commands.mayNot')} />
      ) : (
        <Runner deviceId={deviceId} onStarted={onOpen} />
      )}
      <div className={css.column}>
        {commandId && (
          <CommandResult
            key={commandId}
            deviceId={deviceId}
            commandId={commandId}
            onClose={() => onOpen(undefined)}
          />
        )}
        <History
          deviceId={deviceId}
          openId={commandId}
          onOpen={onOpen}
          filters={filters}
          onFilters={onFilters}
        />
      </div>
    </div>
  )
}
