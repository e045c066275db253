import { SegmentedControl, Select, Textarea, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { queryFieldsQuery, useChecked } from '@/features/devices'
import { useProjectNames } from '@/features/projects'
import { FormModal } from '@/ui'
import { QueryInput } from '@/ui/query-input'
import { type Group, useSaveGroup } from '../queries'
import css from './groups.module.css'

/** A group's name and, where a query picks its devices, that query with how many it picks now. */
export function EditGroup({ group, onClose }: { group: Group | null; onClose: () => void }) {
  const { t } = useTranslation()
  const [name, setName] = useState(group?.name ?? '')
  const [description, setDescription] = useState(group?.description ?? '')
  const [kind, setKind] = useState<Group['kind']>(group?.kind ?? 'fixed')
  const [query, setQuery] = useState(group?.query ?? '')
  const [projectId, setProjectId] = useState(group?.project_id ?? null)
  const projects = useProjectNames()
  const fields = useQuery(queryFieldsQuery)
  const dynamic = kind === 'dynamic'
  const checked = useChecked(dynamic ? query.trim() : '')
  const save = useSaveGroup(group)
  return (
    <FormModal
      title={t(group ? 'groups.edit' : 'groups.create')}
      action={t(group ? 'ui.save' : 'groups.make')}
      pending={save.isPending}
      error={save.error}
      disabled={name.trim() === '' || (dynamic && !checked.valid)}
      onClose={onClose}
      onSubmit={() =>
        save.mutate(
          {
            name: name.trim(),
            description: description.trim(),
            kind,
            project_id: projectId,
            ...(dynamic ? { query: query.trim() } : {}),
          },
          { onSuccess: onClose },
        )
      }
    >
      <TextInput
        label={t('groups.name')}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        maxLength={120}
        required
        data-autofocus
      />
      <Textarea
        label={t('projects.description')}
        value={description}
        onChange={(event) => setDescription(event.currentTarget.value)}
        maxLength={2000}
        autosize
      />
      {!group && (
        <SegmentedControl
          aria-label={t('groups.kind')}
          value={kind}
          onChange={(value) => setKind(value as Group['kind'])}
          data={[
            { value: 'fixed', label: t('groups.kinds.fixed') },
            { value: 'dynamic', label: t('groups.kinds.dynamic') },
          ]}
        />
      )}
      <span className="quiet">{t(`groups.kindHints.${kind}`)}</span>
      {dynamic && (
        <div>
          <QueryInput
            label={t('groups.query')}
            placeholder={t('groups.queryHint')}
            clearLabel={t('devices.clearSearch')}
            value={query}
            onChange={setQuery}
            fields={fields.data ?? []}
            fault={checked.fault}
          />
          <div className={css.count} role="status">
            {checked.matches !== undefined &&
              checked.valid &&
              t('groups.matches', { count: checked.matches })}
          </div>
        </div>
      )}
      {projects.size > 0 && (
        <Select
          label={t('devices.project')}
          data={[...projects].map(([value, label]) => ({ value, label }))}
          value={projectId}
          onChange={setProjectId}
          clearable
          searchable
        />
      )}
    </FormModal>
  )
}
