import { ActionIcon, Button } from '@mantine/core'
import { IconPencil, IconPlus, IconStack2, IconTrash } from '@tabler/icons-react'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { MayNot, useMay } from '@/features/auth'
import { useProjectNames } from '@/features/projects'
import { usePollWhenNotLive } from '@/lib/live'
import { Blank, type Column, Confirm, More, PageHead, Panel, Pill, Reading, Table } from '@/ui'
import { EditGroup } from './parts/EditGroup'
import css from './parts/groups.module.css'
import { type Group, groupListQuery, useDeleteGroup } from './queries'

/** Sets of devices: picked by hand, or by a query. */
export function GroupsPage() {
  const { t, i18n } = useTranslation()
  const poll = usePollWhenNotLive(10_000)
  const groups = useInfiniteQuery({ ...groupListQuery, refetchInterval: poll })
  const projects = useProjectNames()
  const mayManage = useMay('devices:manage') ?? false
  const mayDelete = useMay('resources:delete') ?? false
  const [editing, setEditing] = useState<Group | 'new' | null>(null)
  const [asked, setAsked] = useState<Group | null>(null)
  const remove = useDeleteGroup()
  const columns: Column<Group>[] = [
    {
      id: 'name',
      header: t('groups.name'),
      cell: (group) => (
        <>
          <Link to="/groups/$groupId" params={{ groupId: group.id }} className={css.name}>
            {group.name}
          </Link>
          {group.description && <div className="quiet">{group.description}</div>}
        </>
      ),
    },
    {
      id: 'kind',
      header: t('groups.kind'),
      cell: ({ kind }) => <Pill>{t(`groups.kinds.${kind}`)}</Pill>,
    },
    {
      id: 'query',
      header: t('groups.query'),
      cell: ({ query }) => (query ? <span className="mono">{query}</span> : null),
    },
    {
      id: 'project',
      header: t('devices.project'),
      cell: ({ project_id }) => (project_id ? projects.get(project_id) : null),
    },
    {
      id: 'devices',
      header: t('devices.title'),
      end: true,
      cell: ({ device_count }) => device_count?.toLocaleString(i18n.language),
    },
    {
      id: 'actions',
      header: '',
      label: t('projects.actions'),
      end: true,
      cell: (group) => (
        <>
          {mayManage && (
            <ActionIcon
              aria-label={t('projects.editOf', { name: group.name })}
              onClick={() => setEditing(group)}
            >
              <IconPencil size={15} />
            </ActionIcon>
          )}
          {mayDelete && (
            <ActionIcon
              aria-label={t('projects.deleteOf', { name: group.name })}
              onClick={() => setAsked(group)}
            >
              <IconTrash size={15} />
            </ActionIcon>
          )}
        </>
      ),
    },
  ]
  return (
    <>
      <PageHead
        title={t('groups.title')}
        lead={t('groups.lead')}
        actions={
          mayManage && (
            <Button leftSection={<IconPlus size={16} />} onClick={() => setEditing('new')}>
              {t('groups.create')}
            </Button>
          )
        }
      />
      <MayNot permission="devices:manage" toDo={t('projects.mayNot')} />
      <Panel flush>
        <Reading query={groups}>
          {({ items }) =>
            items.length === 0 ? (
              <Blank icon={<IconStack2 size={22} stroke={1.6} />} title={t('groups.none')}>
                {t('groups.noneHint')}
              </Blank>
            ) : (
              <Table
                label={t('groups.title')}
                columns={columns}
                rows={items}
                rowKey={({ id }) => id}
              />
            )
          }
        </Reading>
        <More query={groups} />
      </Panel>
      {editing && (
        <EditGroup group={editing === 'new' ? null : editing} onClose={() => setEditing(null)} />
      )}
      {asked && (
        <Confirm
          title={t('projects.deleteTitle', { name: asked.name })}
          action={t('groups.delete')}
          pending={remove.isPending}
          error={remove.error}
          onConfirm={() => remove.mutate(asked.id, { onSuccess: () => setAsked(null) })}
          onClose={() => setAsked(null)}
        >
          {t('groups.deleteWhat')}
        </Confirm>
      )}
    </>
  )
}
