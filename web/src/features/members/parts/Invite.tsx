import { Select, TextInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { FormModal } from '@/ui'
import { type Extra, LIFETIMES, type Lifetime, type Role } from '../model'
import { useInvite } from '../queries'
import { RoleFields } from './RoleFields'

interface InviteProps {
  organizationId: string
  onClose: () => void
}

export function Invite({ organizationId, onClose }: InviteProps) {
  const { t } = useTranslation()
  const [email, setEmail] = useState('')
  const [role, setRole] = useState<Role>('member')
  const [extras, setExtras] = useState<Extra[]>([])
  const [lifetime, setLifetime] = useState<Lifetime>('week')
  const invite = useInvite(organizationId)
  return (
    <FormModal
      title={t('members.inviteTitle')}
      action={t('members.send')}
      pending={invite.isPending}
      error={invite.error}
      onClose={onClose}
      onSubmit={() =>
        invite.mutate(
          {
            email: email.trim(),
            role,
            extra_permissions: extras,
            expires_in: LIFETIMES[lifetime],
          },
          {
            onSuccess: () => {
              notifications.show({
                message: t('members.invited', { email: email.trim() }),
                color: 'moss',
              })
              onClose()
            },
          },
        )
      }
    >
      <TextInput
        label={t('auth.email')}
        type="email"
        value={email}
        onChange={(event) => setEmail(event.currentTarget.value)}
        required
        withAsterisk={false}
        data-autofocus
      />
      <RoleFields
        role={role}
        extras={extras}
        onChange={(nextRole, nextExtras) => {
          setRole(nextRole)
          setExtras(nextExtras)
        }}
      />
      <Select
        label={t('members.goodFor')}
        data={(Object.keys(LIFETIMES) as Lifetime[]).map((value) => ({
          value,
          label: t(`members.lifetimes.${value}`),
        }))}
        value={lifetime}
        onChange={(value) => value && setLifetime(value as Lifetime)}
        allowDeselect={false}
      />
    </FormModal>
  )
}
