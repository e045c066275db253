// biome-ignore-all lint/a11y/useSemanticElements: a <table> that is laid out as a grid loses its meaning, roles keep it
// biome-ignore-all lint/a11y/useFocusableInteractive: these rows and headers are read, their links are focused
import { Button, Skeleton } from '@mantine/core'
import { IconCpu, IconFilterOff, IconPlus } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { tableFeatures, useTable } from '@tanstack/react-table'
import { useWindowVirtualizer } from '@tanstack/react-virtual'
import { useLayoutEffect, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Blank, Failed, Note } from '@/ui'
import type { DeviceFilters } from '../model'
import { useDeviceWindow } from '../queries'
import { type DeviceRow, useDeviceColumns } from './columns'
import css from './devices.module.css'

const ROW_PX = 44
/** Rows asked for before the first answer says how many there are. */
const FIRST_ROWS = 12
const features = tableFeatures({})

/** The fleet as a table of any length: the page holds only the rows on screen, the cache only their pages. */
export function DeviceTable({ filters, onClear }: { filters: DeviceFilters; onClear: () => void }) {
  const { t } = useTranslation()
  const body = useRef<HTMLDivElement>(null)
  const [margin, setMargin] = useState(0)
  useLayoutEffect(() => setMargin(body.current?.offsetTop ?? 0), [])

  const [count, setCount] = useState(FIRST_ROWS)
  const virtual = useWindowVirtualizer({
    count,
    estimateSize: () => ROW_PX,
    overscan: 12,
    scrollMargin: margin,
  })
  const items = virtual.getVirtualItems()
  const first = items[0]?.index ?? 0
  const last = items.at(-1)?.index ?? FIRST_ROWS
  const devices = useDeviceWindow(filters, first, last)
  const total = devices.total
  useLayoutEffect(() => {
    if (total !== undefined) setCount(total)
  }, [total])

  const data: DeviceRow[] = items.map(({ index }) => ({ index, device: devices.at(index) }))
  const columns = useDeviceColumns()
  const table = useTable({ features, columns, data, getRowId: (row) => String(row.index) })
  const headers = useMemo(() => table.getHeaderGroups()[0]?.headers ?? [], [table])

  if (devices.error) return <Failed error={devices.error} onRetry={devices.retry} />
  if (total === 0)
    return <NoDevices filtered={Boolean(filters.search || filters.status)} onClear={onClear} />
  return (
    <>
      {devices.partial && (
        <Note tone="wait" title={t('devices.partial')}>
          <Button variant="subtle" size="compact-xs" onClick={devices.retry}>
            {t('ui.retry')}
          </Button>
        </Note>
      )}
      <div
        role="table"
        className={css.table}
        aria-label={t('devices.title')}
        aria-rowcount={(total ?? 0) + 1}
        aria-busy={devices.loading}
      >
        <div role="row" className={`${css.row} ${css.headRow}`} aria-rowindex={1}>
          {headers.map((header) => (
            <div role="columnheader" key={header.id} data-column={header.id}>
              <table.FlexRender header={header} />
            </div>
          ))}
        </div>
        <div
          ref={body}
          role="rowgroup"
          className={css.body}
          style={{ height: virtual.getTotalSize() }}
        >
          {table.getRowModel().rows.map((row, position) => (
            <div
              role="row"
              key={row.id}
              className={css.row}
              aria-rowindex={row.original.index + 2}
              style={{ transform: `translateY(${(items[position]?.start ?? 0) - margin}px)` }}
            >
              {row.getAllCells().map((cell) => (
                <div role="cell" key={cell.id} data-column={cell.column.id}>
                  {row.original.device ? (
                    <table.FlexRender cell={cell} />
                  ) : (
                    <Skeleton height={10} width="62%" />
                  )}
                </div>
              ))}
            </div>
          ))}
        </div>
      </div>
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
