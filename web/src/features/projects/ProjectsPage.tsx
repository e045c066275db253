import { ActionIcon, Button, Textarea, TextInput } from '@mantine/core'
import { IconFolder, IconPencil, IconPlus, IconTrash } from '@tabler/icons-react'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { ProjectDocument } from '@/api/generated'
import { MayNot, useMay } from '@/features/auth'
import { usePollWhenNotLive } from '@/lib/live'
import {
  Blank,
  type Column,
  Confirm,
  FormModal,
  More,
  Panel,
  Reading,
  RelativeTime,
  Table,
} from '@/ui'
import { projectListQuery, useDeleteProject, useSaveProject } from './queries'

/** Sub-groups of an organization. */
export function ProjectsPage() {
  const { t } = useTranslation()
  const poll = usePollWhenNotLive(10_000)
  const projects = useInfiniteQuery({ ...projectListQuery, refetchInterval: poll })
  const mayManage = useMay('projects:manage') ?? false
  const mayDelete = useMay('resources:delete') ?? false
  const [editing, setEditing] = useState<ProjectDocument | 'new' | null>(null)
  const [asked, setAsked] = useState<ProjectDocument | null>(null)
  const remove = useDeleteProject()
  const columns: Column<ProjectDocument>[] = [
    { id: 'name', header: t('projects.name'), cell: ({ name }) => <strong>{name}</strong> },
    {
      id: 'description',
      header: t('projects.description'),
      cell: ({ description }) => description || null,
    },
    {
      id: 'made',
      header: t('projects.made'),
      cell: ({ created_at }) => <RelativeTime iso={created_at} />,
    },
    {
      id: 'actions',
      header: '',
      label: t('projects.actions'),
      end: true,
      cell: (project) => (
        <>
          {mayManage && (
            <ActionIcon
              aria-label={t('projects.editOf', { name: project.name })}
              onClick={() => setEditing(project)}
            >
              <IconPencil size={15} />
            </ActionIcon>
          )}
          {mayDelete && (
            <ActionIcon
              aria-label={t('projects.deleteOf', { name: project.name })}
              onClick={() => setAsked(project)}
            >
              <IconTrash size={15} />
            </ActionIcon>
          )}
        </>
      ),
    },
  ]
  const add = mayManage && (
    <Button
      size="compact-md"
      leftSection={<IconPlus size={15} />}
      onClick={() => setEditing('new')}
    >
      {t('projects.create')}
    </Button>
  )
  return (
    <>
      <MayNot permission="projects:manage" toDo={t('projects.mayNot')} />
      <Panel title={t('projects.title')} flush actions={add}>
        <Reading query={projects}>
          {({ items }) =>
            items.length === 0 ? (
              <Blank icon={<IconFolder size={22} stroke={1.6} />} title={t('projects.none')}>
                {t('projects.noneHint')}
              </Blank>
            ) : (
              <Table
                label={t('projects.title')}
                columns={columns}
                rows={items}
                rowKey={({ id }) => id}
              />
            )
          }
        </Reading>
        <More query={projects} />
      </Panel>
      {editing && (
        <EditProject
          project={editing === 'new' ? null : editing}
          onClose={() => setEditing(null)}
        />
      )}
      {asked && (
        <Confirm
          title={t('projects.deleteTitle', { name: asked.name })}
          action={t('projects.delete')}
          pending={remove.isPending}
          error={remove.error}
          onConfirm={() => remove.mutate(asked.id, { onSuccess: () => setAsked(null) })}
          onClose={() => setAsked(null)}
        >
          {t('projects.deleteWhat')}
        </Confirm>
      )}
    </>
  )
}

interface EditProjectProps {
  project: ProjectDocument | null
  onClose: () => void
}

function EditProject({ project, onClose }: EditProjectProps) {
  const { t } = useTranslation()
  const [name, setName] = useState(project?.name ?? '')
  const [description, setDescription] = useState(project?.description ?? '')
  const save = useSaveProject(project)
  return (
    <FormModal
      title={t(project ? 'projects.edit' : 'projects.create')}
      action={t(project ? 'ui.save' : 'projects.make')}
      pending={save.isPending}
      error={save.error}
      onClose={onClose}
      onSubmit={() =>
        save.mutate({ name: name.trim(), description: description.trim() }, { onSuccess: onClose })
      }
    >
      <TextInput
        label={t('projects.name')}
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
        minRows={2}
      />
    </FormModal>
  )
}
