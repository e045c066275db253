import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { auditQuery } from '@/features/audit'
import { nameOf, useMembers } from '@/features/members'
import { Panel, Reading, RelativeTime } from '@/ui'
import { dayOf } from '../model'
import css from './overview.module.css'

const SHOWN = 10
const EVERY_MS = 10_000

/** That somebody came or went is in the log; here it would crowd out what was done. */
const isChange = ({ action }: { action: string }) => !/^user\.log(in|out)$/.test(action)

/** What was done today, newest first, from the audit log. */
export function Changes() {
  const { t } = useTranslation()
  const filters = { from: dayOf(new Date()) }
  const log = useInfiniteQuery({ ...auditQuery(filters), refetchInterval: EVERY_MS })
  const members = useMembers()
  const who = (actor: { kind: string; id: string | null }) => {
    const member = members.find(({ user_id }) => user_id === actor.id)
    return member
      ? nameOf(member)
      : t(`overview.by.${actor.kind as 'device'}`, { defaultValue: '' })
  }
  return (
    <Panel
      title={t('overview.today')}
      flush
      actions={
        <Link to="/organization/audit" search={filters} className={css.more}>
          {t('overview.wholeLog')}
        </Link>
      }
    >
      <Reading query={log} lines={6}>
        {({ items }) =>
          items.filter(isChange).length === 0 ? (
            <p className={css.well}>{t('overview.quiet')}</p>
          ) : (
            <ul className={css.rows}>
              {items
                .filter(isChange)
                .slice(0, SHOWN)
                .map(({ id, action, actor, status, timestamp }) => (
                  <li key={id} className={css.row}>
                    <span className="mono" data-failed={status === 'failure' || undefined}>
                      {action}
                    </span>
                    <span className="quiet">{who(actor)}</span>
                    <span className={css.when}>
                      <RelativeTime iso={timestamp} />
                    </span>
                  </li>
                ))}
            </ul>
          )
        }
      </Reading>
    </Panel>
  )
}
