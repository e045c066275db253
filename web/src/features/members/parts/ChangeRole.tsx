import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { FormModal } from '@/ui'
import { type Extra, type Member, nameOf } from '../model'
import { useChangeMember } from '../queries'
import { RoleFields } from './RoleFields'

interface ChangeRoleProps {
  member: Member
  organizationId: string
  onClose: () => void
}

export function ChangeRole({ member, organizationId, onClose }: ChangeRoleProps) {
  const { t } = useTranslation()
  const [role, setRole] = useState(member.role)
  const [extras, setExtras] = useState(member.extra_permissions as Extra[])
  const change = useChangeMember(organizationId)
  return (
    <FormModal
      title={t('members.roleOf', { name: nameOf(member) })}
      action={t('ui.save')}
      pending={change.isPending}
      error={change.error}
      onClose={onClose}
      onSubmit={() =>
        change.mutate(
          { userId: member.user_id, role, extra_permissions: extras },
          { onSuccess: onClose },
        )
      }
    >
      <RoleFields
        role={role}
        extras={extras}
        onChange={(nextRole, nextExtras) => {
          setRole(nextRole)
          setExtras(nextExtras)
        }}
      />
    </FormModal>
  )
}
