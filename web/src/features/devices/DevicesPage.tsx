import { Button } from '@mantine/core'
import { IconCpu, IconFilterOff, IconPlus } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useMay } from '@/features/auth'
import { useProjectNames } from '@/features/projects'
import { Blank, PageHead } from '@/ui'
import { type DeviceView, isFiltered } from './model'
import { columnsOf, useDeviceColumns } from './parts/columns'
import { DeviceTable } from './parts/DeviceTable'
import { FilterBar } from './parts/FilterBar'
import { ColumnsMenu, FilesMenu, ViewsMenu } from './parts/ListMenus'
import { SelectionBar } from './parts/SelectionBar'
import { isEmpty, NOTHING, pickedCount, type Selection, targetOf } from './selection'

interface DevicesPageProps {
  view: DeviceView
  onView: (view: DeviceView) => void
  /** More that can be done with picked devices: their ids, and what to do when it is done. */
  actions?: (deviceIds: string[], onDone: () => void) => ReactNode
}

/** The fleet: asked, sorted, laid out as the address says. */
export function DevicesPage({ view, onView, actions }: DevicesPageProps) {
  const { t } = useTranslation()
  return (
    <>
      <PageHead
        title={t('devices.title')}
        actions={
          <Button
            renderRoot={(props) => <Link to="/devices/add" {...props} />}
            leftSection={<IconPlus size={16} />}
          >
            {t('devices.add')}
          </Button>
        }
      />
      <DeviceList
        view={view}
        onView={onView}
        columns={view.columns}
        {...(actions ? { actions } : {})}
      />
    </>
  )
}

interface DeviceListProps extends DevicesPageProps {
  columns: string | undefined
}

function DeviceList({ view, onView, columns: shown, actions }: DeviceListProps) {
  const { columns: _columns, ...filters } = view
  const columns = useDeviceColumns(useProjectNames())
  const mayManage = useMay('devices:manage') ?? false
  const [picked, setPicked] = useState({ of: '', selection: NOTHING })
  const [total, setTotal] = useState<number>()
  // Another question is another list: it starts at the top, and nothing of it is picked.
  const { sort: _sort, ...question } = filters
  const asked = JSON.stringify(question)
  const selection: Selection = picked.of === asked ? picked.selection : NOTHING
  const setSelection = (next: Selection) => setPicked({ of: asked, selection: next })
  return (
    <>
      <FilterBar
        filters={filters}
        onFilters={(next) => onView(shown === undefined ? next : { ...next, columns: shown })}
      >
        <ViewsMenu view={view} onView={onView} />
        <ColumnsMenu view={view} onView={onView} columns={columns} />
        <FilesMenu view={view} />
      </FilterBar>
      <DeviceTable
        key={`${asked}${filters.sort ?? ''}`}
        filters={filters}
        columns={columnsOf(shown).map((id) => columns[id])}
        onSort={(sort) => {
          const { sort: _before, ...rest } = view
          onView(sort === 'name' ? rest : { ...rest, sort })
        }}
        onTotal={setTotal}
        {...(mayManage ? { selection, onSelection: setSelection } : {})}
        empty={<NoDevices filtered={isFiltered(filters)} onClear={() => onView({})} />}
      />
      {!isEmpty(selection) && (
        <SelectionBar
          count={pickedCount(selection, total)}
          target={targetOf(selection, filters)}
          onClear={() => setSelection(NOTHING)}
        >
          {!selection.all && actions?.([...selection.ids], () => setSelection(NOTHING))}
        </SelectionBar>
      )}
    </>
  )
}

function NoDevices({ filtered, onClear }: { filtered: boolean; onClear: () => void }) {
  const { t } = useTranslation()
  if (filtered) {
    return (
      <Blank
        icon={<IconFilterOff size={22} stroke={1.6} />}
        title={t('devices.noneFound')}
        actions={
          <Button variant="default" onClick={onClear}>
            {t('devices.clearFilters')}
          </Button>
        }
      >
        {t('devices.noneFoundHint')}
      </Blank>
    )
  }
  return (
    <Blank
      icon={<IconCpu size={22} stroke={1.6} />}
      title={t('devices.none')}
      actions={
        <Button
          renderRoot={(props) => <Link to="/devices/add" {...props} />}
          leftSection={<IconPlus size={16} />}
        >
          {t('devices.addFirst')}
        </Button>
      }
    >
      {t('devices.noneHint')}
    </Blank>
  )
}
