import { Button } from '@mantine/core'
import { IconCpu, IconFilterOff, IconPlus } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useMay } from '@/features/auth'
import { useProjectNames } from '@/features/projects'
import { Blank, PageHead } from '@/ui'
import { type DeviceView, isFiltered } from './model'
import { ColumnsMenu } from './parts/ColumnsMenu'
import { columnsOf, useDeviceColumns } from './parts/columns'
import { DeviceTable } from './parts/DeviceTable'
import { FilterBar } from './parts/FilterBar'
import { SelectionBar } from './parts/SelectionBar'
import { useTarget } from './queries'
import { isEmpty, NOTHING, pickedCount, type Selection } from './selection'

interface DevicesPageProps {
  view: DeviceView
  onView: (view: DeviceView) => void
}

/** The fleet: asked, sorted, laid out as the address says. */
export function DevicesPage({ view, onView }: DevicesPageProps) {
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
      <DeviceList view={view} onView={onView} />
    </>
  )
}

function DeviceList({ view, onView }: DevicesPageProps) {
  const { columns: shown, ...filters } = view
  const columns = useDeviceColumns(useProjectNames())
  const mayManage = useMay('devices:manage') ?? false
  const [picked, setPicked] = useState({ of: '', selection: NOTHING })
  const [total, setTotal] = useState<number>()
  // Another question is another list: it starts at the top, and nothing of it is picked.
  const asked = JSON.stringify(filters)
  const selection: Selection = picked.of === asked ? picked.selection : NOTHING
  const setSelection = (next: Selection) => setPicked({ of: asked, selection: next })
  const target = useTarget(selection, filters)
  return (
    <>
      <FilterBar
        filters={filters}
        onFilters={(next) => onView(shown === undefined ? next : { ...next, columns: shown })}
      >
        <ColumnsMenu view={view} onView={onView} columns={columns} />
      </FilterBar>
      <DeviceTable
        key={asked}
        filters={filters}
        columns={columnsOf(shown).map((id) => columns[id])}
        onTotal={setTotal}
        {...(mayManage ? { selection, onSelection: setSelection } : {})}
        empty={<NoDevices filtered={isFiltered(filters)} onClear={() => onView({})} />}
      />
      {!isEmpty(selection) && (
        <SelectionBar
          count={pickedCount(selection, total)}
          {...target}
          onClear={() => setSelection(NOTHING)}
        />
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
