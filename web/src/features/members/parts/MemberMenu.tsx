import { ActionIcon, Menu } from '@mantine/core'
import { IconCrown, IconDots, IconUserCog, IconUserMinus } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useMay } from '@/features/auth'
import { Confirm } from '@/ui'
import { type Member, nameOf } from '../model'
import { useRemoveMember, useTransferOwnership } from '../queries'
import { ChangeRole } from './ChangeRole'

/** What may be done about one person. */
export function MemberMenu({ member, organizationId }: { member: Member; organizationId: string }) {
  const { t } = useTranslation()
  const mayOwn = useMay('organization:own')
  const [open, setOpen] = useState<'role' | 'transfer' | 'remove' | null>(null)
  const remove = useRemoveMember(organizationId)
  const transfer = useTransferOwnership(organizationId)
  const close = () => setOpen(null)
  const name = nameOf(member)
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon aria-label={t('members.actionsFor', { name })}>
            <IconDots size={17} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconUserCog size={15} />} onClick={() => setOpen('role')}>
            {t('members.changeRole')}
          </Menu.Item>
          {mayOwn && member.role !== 'owner' && (
            <Menu.Item leftSection={<IconCrown size={15} />} onClick={() => setOpen('transfer')}>
              {t('members.transfer')}
            </Menu.Item>
          )}
          <Menu.Item
            color="brick"
            leftSection={<IconUserMinus size={15} />}
            onClick={() => setOpen('remove')}
          >
            {t('members.remove')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {open === 'role' && (
        <ChangeRole member={member} organizationId={organizationId} onClose={close} />
      )}
      {open === 'transfer' && (
        <Confirm
          title={t('members.transferTitle', { name })}
          action={t('members.transfer')}
          pending={transfer.isPending}
          error={transfer.error}
          onConfirm={() => transfer.mutate(member.user_id, { onSuccess: close })}
          onClose={close}
        >
          {t('members.transferWhat')}
        </Confirm>
      )}
      {open === 'remove' && (
        <Confirm
          title={t('members.removeTitle', { name })}
          action={t('members.remove')}
          pending={remove.isPending}
          error={remove.error}
          onConfirm={() => remove.mutate(member.user_id, { onSuccess: close })}
          onClose={close}
        >
          {t('members.removeWhat')}
        </Confirm>
      )}
    </>
  )
}
