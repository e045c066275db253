import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import type { LivingSessionDocument } from '@/api/generated'
import { type Column, Panel, Pill, Reading, Refused, RelativeTime, Table } from '@/ui'
import { programOf } from './model'
import { sessionListQuery, useEndOtherSessions, useEndSession } from './queries'

/** Where one is signed in, and a way to end each of it. */
export function SessionsPage() {
  const { t } = useTranslation()
  const sessions = useQuery(sessionListQuery)
  const end = useEndSession()
  const endOthers = useEndOtherSessions()
  const columns: Column<LivingSessionDocument>[] = [
    {
      id: 'program',
      header: t('sessions.program'),
      cell: (session) => (
        <span title={session.user_agent ?? undefined}>
          {programOf(session.user_agent) || t('sessions.unknown')}{' '}
          {session.current && <Pill tone="good">{t('sessions.current')}</Pill>}
        </span>
      ),
    },
    {
      id: 'address',
      header: t('sessions.address'),
      cell: ({ ip_address }) => ip_address && <span className="mono">{ip_address}</span>,
    },
    {
      id: 'organization',
      header: t('sessions.organization'),
      cell: ({ organization_name }) => organization_name,
    },
    {
      id: 'began',
      header: t('sessions.began'),
      cell: ({ created_at }) => <RelativeTime iso={created_at} />,
    },
    {
      id: 'seen',
      header: t('sessions.seen'),
      cell: ({ last_seen_at }) => <RelativeTime iso={last_seen_at} />,
    },
    {
      id: 'end',
      header: '',
      label: t('sessions.end'),
      end: true,
      cell: ({ session_id, current, user_agent }) =>
        !current && (
          <Button
            size="compact-sm"
            variant="default"
            aria-label={t('sessions.endOf', { program: programOf(user_agent) })}
            loading={end.isPending && end.variables === session_id}
            onClick={() => end.mutate(session_id)}
          >
            {t('sessions.end')}
          </Button>
        ),
    },
  ]
  return (
    <Panel
      title={t('account.sessions')}
      flush
      actions={
        (sessions.data?.length ?? 0) > 1 && (
          <Button
            size="compact-sm"
            variant="default"
            loading={endOthers.isPending}
            onClick={() => endOthers.mutate()}
          >
            {t('sessions.endOthers')}
          </Button>
        )
      }
    >
      <Reading query={sessions}>
        {(rows) => (
          <Table
            label={t('account.sessions')}
            columns={columns}
            rows={rows}
            rowKey={({ session_id }) => session_id}
          />
        )}
      </Reading>
      {[end, endOthers].map(
        (each, index) =>
          each.isError && (
            // biome-ignore lint/suspicious/noArrayIndexKey: two fixed places
            <div key={index} style={{ padding: 12 }}>
              <Refused error={each.error} />
            </div>
          ),
      )}
    </Panel>
  )
}
