import { Button } from '@mantine/core'
import { IconPencil, IconStack2, IconUserMinus } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useMay } from '@/features/auth'
import {
  columnsOf,
  DeviceTable,
  isEmpty,
  NOTHING,
  pickedCount,
  SelectionBar,
  targetOf,
  useDeviceColumns,
} from '@/features/devices'
import { useProjectNames } from '@/features/projects'
import { usePollWhenNotLive } from '@/lib/live'
import { Blank, crumbClass, Failed, Lines, PageHead, Pill } from '@/ui'
import { AddMembers } from './parts/AddMembers'
import { EditGroup } from './parts/EditGroup'
import { groupQuery, useChangeMembers } from './queries'

/** One group and its devices. */
export function GroupPage({ groupId }: { groupId: string }) {
  const { t } = useTranslation()
  const poll = usePollWhenNotLive(10_000)
  const group = useQuery({ ...groupQuery(groupId), refetchInterval: poll })
  const may = useMay('devices:manage') ?? false
  const [open, setOpen] = useState<'edit' | 'add' | null>(null)
  const back = (
    <Link to="/groups" className={crumbClass}>
      {t('groups.title')}
    </Link>
  )
  if (!group.data) {
    return (
      <>
        <PageHead title={t('groups.one')} crumb={back} />
        {group.isPending ? (
          <Lines count={6} />
        ) : (
          <Failed error={group.error} onRetry={() => void group.refetch()} />
        )}
      </>
    )
  }
  const { data } = group
  const fixed = data.kind === 'fixed'
  return (
    <>
      <PageHead
        title={data.name}
        crumb={back}
        lead={
          <>
            <Pill>{t(`groups.kinds.${data.kind}`)}</Pill>{' '}
            {data.device_count != null && t('groups.devices', { count: data.device_count })}
            {data.query && <span className="mono"> · {data.query}</span>}
            {data.description && <div>{data.description}</div>}
          </>
        }
        actions={
          may && (
            <div style={{ display: 'flex', gap: 8 }}>
              <Button
                variant="default"
                leftSection={<IconPencil size={15} />}
                onClick={() => setOpen('edit')}
              >
                {t('groups.edit')}
              </Button>
              {fixed && <Button onClick={() => setOpen('add')}>{t('groups.addDevices')}</Button>}
            </div>
          )
        }
      />
      <Members groupId={groupId} fixed={fixed} may={may} onAdd={() => setOpen('add')} />
      {open === 'edit' && <EditGroup group={data} onClose={() => setOpen(null)} />}
      {open === 'add' && <AddMembers group={data} onClose={() => setOpen(null)} />}
    </>
  )
}

interface MembersProps {
  groupId: string
  fixed: boolean
  may: boolean
  onAdd: () => void
}

function Members({ groupId, fixed, may, onAdd }: MembersProps) {
  const { t } = useTranslation()
  const columns = useDeviceColumns(useProjectNames())
  const [selection, setSelection] = useState(NOTHING)
  const [total, setTotal] = useState<number>()
  const change = useChangeMembers()
  const target = selection.all ? { group: groupId } : targetOf(selection, {})
  return (
    <>
      <DeviceTable
        filters={{ group_id: groupId }}
        columns={columnsOf(undefined).map((id) => columns[id])}
        onTotal={setTotal}
        {...(may ? { selection, onSelection: setSelection } : {})}
        empty={
          <Blank
            icon={<IconStack2 size={22} stroke={1.6} />}
            title={t('groups.empty')}
            actions={fixed && may && <Button onClick={onAdd}>{t('groups.addDevices')}</Button>}
          >
            {t(fixed ? 'groups.emptyHint' : 'groups.emptyDynamicHint')}
          </Blank>
        }
      />
      {!isEmpty(selection) && (
        <SelectionBar
          count={pickedCount(selection, total)}
          target={target}
          onClear={() => setSelection(NOTHING)}
        >
          {fixed && !selection.all && (
            <Button
              size="compact-md"
              variant="default"
              leftSection={<IconUserMinus size={15} />}
              loading={change.isPending}
              onClick={() =>
                change.mutate(
                  { groupId, deviceIds: [...selection.ids], member: false },
                  { onSuccess: () => setSelection(NOTHING) },
                )
              }
            >
              {t('groups.takeOut')}
            </Button>
          )}
        </SelectionBar>
      )}
    </>
  )
}
