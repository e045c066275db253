import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { profileQuery } from '@/features/auth'
import { type Column, Dot, Pill, RelativeTime, Table } from '@/ui'
import { type Extra, type Member, nameOf, wordOf } from '../model'
import { MemberMenu } from './MemberMenu'
import css from './members.module.css'

interface MemberTableProps {
  members: readonly Member[]
  organizationId: string
  /** Whether the reader may change them. */
  may: boolean
}

export function MemberTable({ members, organizationId, may }: MemberTableProps) {
  const { t } = useTranslation()
  const { data: me } = useQuery(profileQuery)
  const columns: Column<Member>[] = [
    {
      id: 'person',
      header: t('members.person'),
      cell: (member) => (
        <span className={css.person}>
          <strong>{nameOf(member)}</strong>
          {member.user_id === me?.id && <Pill>{t('members.you')}</Pill>}
          <span className="quiet">{member.email}</span>
        </span>
      ),
    },
    {
      id: 'role',
      header: t('members.role'),
      cell: ({ role, extra_permissions }) => (
        <span className={css.pills}>
          <Pill tone={role === 'owner' ? 'good' : 'plain'}>{t(`roles.${role}.name`)}</Pill>
          {extra_permissions.map((extra) => (
            <Pill key={extra}>+ {t(wordOf(extra as Extra))}</Pill>
          ))}
        </span>
      ),
    },
    {
      id: 'mfa',
      header: t('members.mfa'),
      cell: ({ mfa_enabled }) => (
        <span className={css.mfa}>
          <Dot tone={mfa_enabled ? 'good' : 'off'} />
          {t(mfa_enabled ? 'members.mfaOn' : 'members.mfaOff')}
        </span>
      ),
    },
    {
      id: 'joined',
      header: t('members.joined'),
      cell: ({ joined_at }) => <RelativeTime iso={joined_at} />,
    },
    {
      id: 'menu',
      header: '',
      label: t('members.actions'),
      end: true,
      cell: (member) => may && <MemberMenu member={member} organizationId={organizationId} />,
    },
  ]
  return (
    <Table
      label={t('members.title')}
      columns={columns}
      rows={members}
      rowKey={({ user_id }) => user_id}
    />
  )
}
