import { ActionIcon, Checkbox, Menu, Tooltip } from '@mantine/core'
import { IconColumns3 } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import type { DeviceView } from '../model'
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
