import { Button } from '@mantine/core'
import { IconUserPlus } from '@tabler/icons-react'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { MayNot, useMay } from '@/features/auth'
import { useOrganizationId } from '@/features/organizations'
import { usePollWhenNotLive } from '@/lib/live'
import { Lines, More, Panel, Reading } from '@/ui'
import { Invitations } from './parts/Invitations'
import { Invite } from './parts/Invite'
import { MemberTable } from './parts/MemberTable'
import css from './parts/members.module.css'
import { memberListQuery } from './queries'

export function MembersPage() {
  const organizationId = useOrganizationId()
  return organizationId ? <People organizationId={organizationId} /> : <Lines />
}

function People({ organizationId }: { organizationId: string }) {
  const { t } = useTranslation()
  const poll = usePollWhenNotLive(10_000)
  const members = useInfiniteQuery({ ...memberListQuery(organizationId), refetchInterval: poll })
  const may = useMay('users:manage') ?? false
  const [inviting, setInviting] = useState(false)
  return (
    <>
      <MayNot permission="users:manage" toDo={t('members.mayNot')} />
      <div className={css.stack}>
        <Panel
          title={t('members.title')}
          flush
          actions={
            may && (
              <Button
                size="compact-md"
                leftSection={<IconUserPlus size={15} />}
                onClick={() => setInviting(true)}
              >
                {t('members.invite')}
              </Button>
            )
          }
        >
          <Reading query={members}>
            {({ items }) => (
              <MemberTable members={items} organizationId={organizationId} may={may} />
            )}
          </Reading>
          <More query={members} />
        </Panel>
        <Invitations organizationId={organizationId} may={may} />
      </div>
      {inviting && <Invite organizationId={organizationId} onClose={() => setInviting(false)} />}
    </>
  )
}
