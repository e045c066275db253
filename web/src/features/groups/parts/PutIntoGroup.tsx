import { Button, Select } from '@mantine/core'
import { IconStack2 } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { FormModal } from '@/ui'
import { useChangeMembers, useGroups } from '../queries'

interface PutIntoGroupProps {
  deviceIds: string[]
  onDone: () => void
}

/** Puts devices that were picked elsewhere into a fixed group. */
export function PutIntoGroup({ deviceIds, onDone }: PutIntoGroupProps) {
  const { t } = useTranslation()
  const [open, setOpen] = useState(false)
  const [groupId, setGroupId] = useState<string | null>(null)
  const groups = useGroups().filter(({ kind }) => kind === 'fixed')
  const change = useChangeMembers()
  return (
    <>
      <Button
        size="compact-md"
        variant="default"
        leftSection={<IconStack2 size={15} />}
        onClick={() => setOpen(true)}
      >
        {t('groups.put')}
      </Button>
      {open && (
        <FormModal
          title={t('groups.put')}
          action={t('groups.put')}
          pending={change.isPending}
          error={change.error}
          disabled={!groupId}
          onClose={() => setOpen(false)}
          onSubmit={() =>
            groupId && change.mutate({ groupId, deviceIds, member: true }, { onSuccess: onDone })
          }
        >
          <Select
            label={t('groups.putWhat', { count: deviceIds.length })}
            data={groups.map(({ id, name }) => ({ value: id, label: name }))}
            value={groupId}
            onChange={setGroupId}
            searchable
            {...(groups.length === 0 ? { error: t('groups.noFixed') } : {})}
            data-autofocus
          />
        </FormModal>
      )}
    </>
  )
}
