import { Modal } from '@mantine/core'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { exact } from '@/lib/format'
import { Facts, Pill } from '@/ui'
import { type Change, changesOf, type Entry, isSame } from '../model'
import css from './audit.module.css'

interface EntryDetailsProps {
  entry: Entry
  actor: ReactNode
  onClose: () => void
}

/** One entry: who, from where, and what was before and after. */
export function EntryDetails({ entry, actor, onClose }: EntryDetailsProps) {
  const { t, i18n } = useTranslation()
  const changes = changesOf(entry)
  const mono = (text: string | null) => text && <span className="mono">{text}</span>
  return (
    <Modal
      closeButtonProps={{ 'aria-label': t('ui.close') }}
      opened
      onClose={onClose}
      size="lg"
      title={<span className="mono">{entry.action}</span>}
    >
      <div className={css.stack}>
        <Facts
          rows={[
            [t('audit.when'), exact(entry.timestamp, i18n.language)],
            [t('audit.who'), actor],
            [t('audit.what'), mono(`${entry.resource_type} ${entry.resource_id}`)],
            [
              t('audit.status'),
              <Pill key="status" tone={entry.status === 'failure' ? 'bad' : 'good'}>
                {t(entry.status === 'failure' ? 'audit.failure' : 'audit.success')}
              </Pill>,
            ],
            [t('audit.address'), mono(entry.ip_address)],
            [t('audit.program'), entry.user_agent],
            [
              t('audit.seal'),
              entry.sequence === null ? t('audit.unsealed') : entry.sequence.toLocaleString(),
            ],
          ]}
        />
        {changes.length > 0 && (
          <table className={css.diff} aria-label={t('audit.changes')}>
            <thead>
              <tr>
                <th scope="col">{t('audit.key')}</th>
                <th scope="col">{t('audit.before')}</th>
                <th scope="col">{t('audit.after')}</th>
              </tr>
            </thead>
            <tbody>
              {changes.map((change) => (
                <Row key={change.key} change={change} />
              ))}
            </tbody>
          </table>
        )}
      </div>
    </Modal>
  )
}

function Row({ change }: { change: Change }) {
  const same = isSame(change)
  const show = (there: boolean, value: unknown) => (there ? JSON.stringify(value, null, 1) : '')
  return (
    <tr>
      <th scope="row">{change.key}</th>
      <td data-side={!same && change.had ? 'before' : undefined}>
        {same || !change.had ? (
          show(change.had, change.before)
        ) : (
          <del>{show(true, change.before)}</del>
        )}
      </td>
      <td data-side={!same && change.has ? 'after' : undefined}>
        {same || !change.has ? (
          show(change.has, change.after)
        ) : (
          <ins>{show(true, change.after)}</ins>
        )}
      </td>
    </tr>
  )
}
