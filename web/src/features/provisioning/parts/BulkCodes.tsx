import { NumberInput, Select, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useGroups } from '@/features/groups'
import { FormModal } from '@/ui'
import { LIFETIMES } from '../model'
import { type MadeCode, useCreateCodes } from '../queries'
import { ProjectField, TagsField } from './fields'

/** In one call; the server takes no more. */
const MOST = 1_000

interface BulkCodesProps {
  onMade: (codes: MadeCode[]) => void
  onClose: () => void
}

/** Many codes at once, and what the devices that use them start out with. */
export function BulkCodes({ onMade, onClose }: BulkCodesProps) {
  const { t } = useTranslation()
  const [count, setCount] = useState(24)
  const [name, setName] = useState('')
  const [tags, setTags] = useState<string[]>([])
  const [lifetime, setLifetime] = useState('month')
  const [projectId, setProjectId] = useState<string | null>(null)
  const [reclaim, setReclaim] = useState<number | ''>('')
  const [groupId, setGroupId] = useState<string | null>(null)
  const groups = useGroups().filter(({ kind }) => kind === 'fixed')
  const create = useCreateCodes()
  return (
    <FormModal
      title={t('codes.make')}
      action={t('codes.makeCount', { count })}
      pending={create.isPending}
      error={create.error}
      disabled={count < 1}
      onClose={onClose}
      onSubmit={() =>
        create.mutate(
          {
            count,
            expires_in: BULK_LIFETIMES[lifetime as keyof typeof BULK_LIFETIMES],
            ...(name.trim() ? { name: name.trim() } : {}),
            ...(tags.length > 0 ? { tags } : {}),
            ...(projectId ? { project_id: projectId } : {}),
            ...(groupId ? { group_id: groupId } : {}),
            ...(reclaim === '' ? {} : { reclaim_hours: reclaim }),
          },
          { onSuccess: onMade },
        )
      }
    >
      <NumberInput
        label={t('codes.count')}
        value={count}
        min={1}
        max={MOST}
        clampBehavior="strict"
        onChange={(value) => setCount(Number(value) || 0)}
        data-autofocus
      />
      <TextInput
        label={t('provisioning.name')}
        description={t('provisioning.nameHint')}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        maxLength={100}
      />
      <TagsField tags={tags} onTags={setTags} />
      <ProjectField projectId={projectId} onProject={setProjectId} />
      {groups.length > 0 && (
        <Select
          label={t('devices.group')}
          description={t('codes.groupHint')}
          data={groups.map(({ id, name: label }) => ({ value: id, label }))}
          value={groupId}
          onChange={setGroupId}
          clearable
          searchable
        />
      )}
      <Select
        label={t('provisioning.lifetime')}
        data={(Object.keys(BULK_LIFETIMES) as (keyof typeof BULK_LIFETIMES)[]).map((value) => ({
          value,
          label: t(`codes.lifetimes.${value}`),
        }))}
        value={lifetime}
        allowDeselect={false}
        onChange={(value) => setLifetime(value ?? 'month')}
      />
      <NumberInput
        label={t('codes.reclaim')}
        description={t('codes.reclaimHint')}
        value={reclaim}
        min={0}
        max={24}
        suffix=" h"
        onChange={(value) => setReclaim(value === '' ? '' : Number(value))}
      />
    </FormModal>
  )
}

const BULK_LIFETIMES = { ...LIFETIMES, month: 2_592_000, quarter: 7_776_000 } as const
