import { Button } from '@mantine/core'
import { IconMail } from '@tabler/icons-react'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { usePollWhenNotLive } from '@/lib/live'
import { Blank, type Column, Confirm, More, Panel, Pill, Reading, RelativeTime, Table } from '@/ui'
import type { Invitation } from '../model'
import { invitationListQuery, useWithdraw } from '../queries'

interface InvitationsProps {
  organizationId: string
  may: boolean
}

/** Who was asked to join and has not answered yet. */
export function Invitations({ organizationId, may }: InvitationsProps) {
  const { t } = useTranslation()
  const poll = usePollWhenNotLive(10_000)
  const list = useInfiniteQuery({ ...invitationListQuery(organizationId), refetchInterval: poll })
  const withdraw = useWithdraw(organizationId)
  const [asked, setAsked] = useState<Invitation | null>(null)
  const columns: Column<Invitation>[] = [
    { id: 'email', header: t('auth.email'), cell: ({ email }) => <strong>{email}</strong> },
    {
      id: 'role',
      header: t('members.role'),
      cell: ({ role }) => <Pill>{t(`roles.${role}.name`)}</Pill>,
    },
    {
      id: 'made',
      header: t('members.invitedAt'),
      cell: ({ created_at }) => <RelativeTime iso={created_at} />,
    },
    {
      id: 'ends',
      header: t('members.ends'),
      cell: ({ expires_at }) => <RelativeTime iso={expires_at} past={false} />,
    },
    {
      id: 'withdraw',
      header: '',
      label: t('members.withdraw'),
      end: true,
      cell: (invitation) =>
        may && (
          <Button
            size="compact-sm"
            variant="default"
            aria-label={t('members.withdrawOf', { email: invitation.email })}
            onClick={() => setAsked(invitation)}
          >
            {t('members.withdraw')}
          </Button>
        ),
    },
  ]
  return (
    <Panel title={t('members.invitations')} flush>
      <Reading query={list} lines={2}>
        {({ items }) =>
          items.length === 0 ? (
            <Blank icon={<IconMail size={22} stroke={1.6} />} title={t('members.noInvitations')}>
              {t('members.noInvitationsHint')}
            </Blank>
          ) : (
            <Table
              label={t('members.invitations')}
              columns={columns}
              rows={items}
              rowKey={({ id }) => id}
            />
          )
        }
      </Reading>
      <More query={list} />
      {asked && (
        <Confirm
          title={t('members.withdrawTitle', { email: asked.email })}
          action={t('members.withdraw')}
          pending={withdraw.isPending}
          error={withdraw.error}
          onConfirm={() => withdraw.mutate(asked.id, { onSuccess: () => setAsked(null) })}
          onClose={() => setAsked(null)}
        >
          {t('members.withdrawWhat')}
        </Confirm>
      )}
    </Panel>
  )
}
