import { MultiSelect } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { deviceSearchQuery } from '@/features/devices'
import { FormModal } from '@/ui'
import { type Group, useChangeMembers } from '../queries'

/** Devices by name, into a group. */
export function AddMembers({ group, onClose }: { group: Group; onClose: () => void }) {
  const { t } = useTranslation()
  const [picked, setPicked] = useState<string[]>([])
  const [names, setNames] = useState<Record<string, string>>({})
  const [typed, setTyped] = useState('')
  const [search] = useDebouncedValue(typed.trim(), 200)
  const found = useQuery(deviceSearchQuery(search))
  const change = useChangeMembers()
  const options = new Map([
    ...picked.map((id) => [id, names[id] ?? id] as const),
    ...(found.data ?? []).map(({ device_id, name }) => [device_id, name || device_id] as const),
  ])
  return (
    <FormModal
      title={t('groups.addDevices')}
      action={t('groups.addDevices')}
      pending={change.isPending}
      error={change.error ?? found.error}
      disabled={picked.length === 0}
      onClose={onClose}
      onSubmit={() =>
        change.mutate(
          { groupId: group.id, deviceIds: picked, member: true },
          { onSuccess: onClose },
        )
      }
    >
      <MultiSelect
        label={t('devices.title')}
        description={t('groups.addHint')}
        data={[...options].map(([value, label]) => ({ value, label }))}
        value={picked}
        onChange={(next) => {
          setPicked(next)
          setNames({ ...names, ...Object.fromEntries(options) })
        }}
        searchable
        searchValue={typed}
        onSearchChange={setTyped}
        filter={({ options: all }) => all}
        data-autofocus
      />
    </FormModal>
  )
}
