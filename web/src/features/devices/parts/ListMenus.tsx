import { ActionIcon, Button, Checkbox, Menu, TextInput, Tooltip } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import {
  IconBookmark,
  IconColumns3,
  IconDownload,
  IconFileImport,
  IconTableExport,
  IconTrash,
} from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useMay } from '@/features/auth'
import { saveFile } from '@/lib/save-file'
import { FormModal, Refused } from '@/ui'
import { type DeviceView, isFiltered, queryOf } from '../model'
import { savedSearchesQuery, useDeleteSearch, useSaveSearch } from '../queries'
import { useExport } from '../transfer'
import { COLUMN_IDS, type ColumnId, columnsOf, columnsText, type DeviceColumn } from './columns'

interface MenuProps {
  view: DeviceView
  onView: (view: DeviceView) => void
}

/** Which columns stand beside the name. */
export function ColumnsMenu({
  view,
  onView,
  columns,
}: MenuProps & { columns: Record<ColumnId, DeviceColumn> }) {
  const { t } = useTranslation()
  const shown = columnsOf(view.columns)
  const toggle = (id: ColumnId) => {
    const next = shown.includes(id)
      ? shown.filter((each) => each !== id)
      : COLUMN_IDS.filter((each) => each === id || shown.includes(each))
    const { columns: _columns, ...rest } = view
    const text = columnsText(next)
    onView(text === undefined ? rest : { ...rest, columns: text })
  }
  return (
    <Menu position="bottom-end" closeOnItemClick={false}>
      <Menu.Target>
        <Tooltip label={t('devices.columns')}>
          <ActionIcon variant="default" size={36} aria-label={t('devices.columns')}>
            <IconColumns3 size={17} />
          </ActionIcon>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown>
        {COLUMN_IDS.filter((id) => id !== 'name').map((id) => (
          <Menu.Item
            key={id}
            role="menuitemcheckbox"
            aria-checked={shown.includes(id)}
            onClick={() => toggle(id)}
            leftSection={<Checkbox.Indicator size="xs" checked={shown.includes(id)} aria-hidden />}
          >
            {columns[id].header}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}

/** The table to and from files: in, all that is; out, what is asked for now. */
export function FilesMenu({ view }: Pick<MenuProps, 'view'>) {
  const { t } = useTranslation()
  const may = useMay('devices:manage') ?? false
  const out = useExport()
  const { columns: _columns, ...filters } = view
  const save = () =>
    out.mutate(filters, {
      onSuccess: (csv) => saveFile('devices.csv', csv, 'text/csv'),
      onError: (error) =>
        notifications.show({
          message: <Refused error={error} />,
          color: 'brick',
          autoClose: false,
        }),
    })
  return (
    <Menu position="bottom-end" width={240}>
      <Menu.Target>
        <Tooltip label={t('import.files')}>
          <ActionIcon
            variant="default"
            size={36}
            aria-label={t('import.files')}
            loading={out.isPending}
          >
            <IconTableExport size={17} />
          </ActionIcon>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconDownload size={15} />} onClick={save}>
          {t(isFiltered(view) ? 'import.exportShown' : 'import.exportAll')}
        </Menu.Item>
        {may && (
          <Menu.Item
            leftSection={<IconFileImport size={15} />}
            renderRoot={(props) => <Link to="/devices/import" {...props} />}
          >
            {t('import.fromCsv')}
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  )
}

/** Saved searches: what was asked, how it was sorted, and its columns. */
export function ViewsMenu({ view, onView }: MenuProps) {
  const { t } = useTranslation()
  const views = useQuery(savedSearchesQuery)
  const remove = useDeleteSearch()
  const [saving, setSaving] = useState(false)
  return (
    <>
      <Menu position="bottom-end" width={280}>
        <Menu.Target>
          <Button variant="default" leftSection={<IconBookmark size={15} />}>
            {t('devices.views')}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {views.data?.map((each) => (
            <Menu.Item
              key={each.id}
              onClick={() =>
                onView({
                  ...(each.q ? { q: each.q } : {}),
                  ...(each.sort ? { sort: each.sort } : {}),
                  ...(each.columns.length > 0 ? { columns: each.columns.join() } : {}),
                })
              }
              rightSection={
                <ActionIcon
                  component="span"
                  size="sm"
                  aria-label={t('devices.deleteView', { name: each.name })}
                  onClick={(event: React.MouseEvent) => {
                    event.stopPropagation()
                    remove.mutate(each.id)
                  }}
                >
                  <IconTrash size={14} />
                </ActionIcon>
              }
            >
              {each.name}
              {each.shared && <span className="quiet"> · {t('devices.shared')}</span>}
            </Menu.Item>
          ))}
          {views.data?.length === 0 && <Menu.Label>{t('devices.noViews')}</Menu.Label>}
          {(views.isError || remove.isError) && <Refused error={views.error ?? remove.error} />}
          <Menu.Divider />
          <Menu.Item disabled={queryOf(view) === ''} onClick={() => setSaving(true)}>
            {t('devices.saveView')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {saving && <SaveView view={view} onClose={() => setSaving(false)} />}
    </>
  )
}

function SaveView({ view, onClose }: { view: DeviceView; onClose: () => void }) {
  const { t } = useTranslation()
  const [name, setName] = useState('')
  const [shared, setShared] = useState(false)
  const save = useSaveSearch()
  const q = queryOf(view)
  return (
    <FormModal
      title={t('devices.saveView')}
      action={t('ui.save')}
      pending={save.isPending}
      error={save.error}
      disabled={name.trim() === ''}
      onClose={onClose}
      onSubmit={() =>
        save.mutate(
          {
            name: name.trim(),
            q,
            shared,
            columns: view.columns === undefined ? [] : view.columns.split(',').filter(Boolean),
            ...(view.sort ? { sort: view.sort } : {}),
          },
          { onSuccess: onClose },
        )
      }
    >
      <TextInput
        label={t('devices.name')}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        maxLength={120}
        required
        data-autofocus
      />
      <Checkbox
        label={t('devices.shareView')}
        checked={shared}
        onChange={(event) => setShared(event.currentTarget.checked)}
      />
      <span className="quiet mono">{q || t('devices.all')}</span>
    </FormModal>
  )
}
