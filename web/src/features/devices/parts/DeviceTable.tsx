// biome-ignore-all lint/a11y/useSemanticElements: a <table> that is laid out as a grid loses its meaning, roles keep it
// biome-ignore-all lint/a11y/useFocusableInteractive: these rows and headers are read, their links are focused
import { Button, Skeleton } from '@mantine/core'
import { IconArrowDown, IconArrowUp } from '@tabler/icons-react'
import { useWindowVirtualizer } from '@tanstack/react-virtual'
import { memo, useCallback, useLayoutEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Failed, Note } from '@/ui'
import type { Device, DeviceFilters } from '../model'
import { useDeviceWindow } from '../queries'
import { EVERYTHING, isEmpty, isPicked, NOTHING, pick, type Selection } from '../selection'
import type { DeviceColumn } from './columns'
import css from './devices.module.css'

const ROW_PX = 44
/** Rows asked for before the first answer says how many there are. */
const FIRST_ROWS = 12

interface DeviceTableProps {
  filters: DeviceFilters
  columns: readonly DeviceColumn[]
  onSort?: (sort: string) => void
  /** Absent: nothing may be picked here. */
  selection?: Selection
  onSelection?: (selection: Selection) => void
  onTotal?: (total: number) => void
  /** Stands where the rows would, if there are none. */
  empty: React.ReactNode
}

/** The fleet as a table of any length: the page holds only the rows on screen, the cache only their pages. */
export function DeviceTable({
  filters,
  columns,
  onSort,
  selection,
  onSelection,
  onTotal,
  empty,
}: DeviceTableProps) {
  const { t } = useTranslation()
  const body = useRef<HTMLDivElement>(null)
  const [margin, setMargin] = useState(0)
  useLayoutEffect(() => {
    const place = () => {
      const box = body.current?.getBoundingClientRect()
      if (box) setMargin(Math.round(box.top + window.scrollY))
    }
    place()
    // What stands above grows and shrinks: a note, the bar of what is picked.
    const observer = new ResizeObserver(place)
    observer.observe(document.body)
    return () => observer.disconnect()
  }, [])

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
    if (total === undefined) return
    setCount(total)
    onTotal?.(total)
  }, [total, onTotal])

  // Rows are redrawn only when something of theirs changed; so what they call must stay the same function.
  const latest = useRef({ selection, onSelection, devices, anchor: 0 })
  Object.assign(latest.current, { selection, onSelection, devices })
  const onPick = useCallback((index: number, picked: boolean, through: boolean) => {
    const { selection: now, onSelection: tell, devices: known, anchor } = latest.current
    if (!now || !tell) return
    const [from, to] = through ? [Math.min(anchor, index), Math.max(anchor, index)] : [index, index]
    const ids: string[] = []
    for (let at = from; at <= to; at += 1) {
      const id = known.at(at)?.device_id
      if (id) ids.push(id)
    }
    latest.current.anchor = index
    tell(pick(now, ids, picked))
  }, [])

  if (devices.error) return <Failed error={devices.error} onRetry={devices.retry} />
  if (total === 0) return <>{empty}</>
  const picks = selection !== undefined && onSelection !== undefined
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
        style={tracks(columns, picks)}
      >
        <div role="row" className={`${css.row} ${css.headRow}`} aria-rowindex={1}>
          {picks && (
            <div role="columnheader" data-column="pick">
              <input
                type="checkbox"
                className={css.check}
                aria-label={t('devices.pickAll')}
                checked={selection.all && selection.ids.size === 0}
                ref={(box) => {
                  if (box) box.indeterminate = !isEmpty(selection) && selection.ids.size > 0
                }}
                onChange={() => onSelection(selection.all ? NOTHING : EVERYTHING)}
              />
            </div>
          )}
          {columns.map((column) => (
            <Header key={column.id} column={column} sort={filters.sort} onSort={onSort} />
          ))}
        </div>
        <div
          ref={body}
          role="rowgroup"
          className={css.body}
          style={{ height: virtual.getTotalSize() }}
        >
          {items.map(({ index, start }) => {
            const device = devices.at(index)
            return (
              <Row
                key={index}
                index={index}
                top={start - margin}
                device={device}
                columns={columns}
                picked={picks ? Boolean(device && isPicked(selection, device.device_id)) : null}
                onPick={onPick}
              />
            )
          })}
        </div>
      </div>
    </>
  )
}

function tracks(columns: readonly DeviceColumn[], picks: boolean): React.CSSProperties {
  const of = (some: readonly DeviceColumn[]) =>
    [picks ? '16px' : '', ...some.map(({ share }) => `minmax(0, ${share}fr)`)].join(' ')
  return {
    '--tracks': of(columns),
    '--tracks-narrow': of(columns.filter(({ id }) => id !== 'agent' && id !== 'firmware')),
    '--tracks-phone': `${picks ? '16px ' : ''}minmax(0, 1fr) max-content`,
  } as React.CSSProperties
}

interface HeaderProps {
  column: DeviceColumn
  sort: string | undefined
  onSort: ((sort: string) => void) | undefined
}

function Header({ column, sort = 'name', onSort }: HeaderProps) {
  const by = column.sort
  const up = sort === by
  const down = sort === `-${by}`
  return (
    <div
      role="columnheader"
      data-column={column.id}
      {...(by ? { 'aria-sort': up ? 'ascending' : down ? 'descending' : 'none' } : {})}
    >
      {by && onSort ? (
        <button type="button" className={css.sort} onClick={() => onSort(up ? `-${by}` : by)}>
          {column.header}
          {up && <IconArrowUp size={13} aria-hidden />}
          {down && <IconArrowDown size={13} aria-hidden />}
        </button>
      ) : (
        column.header
      )}
    </div>
  )
}

interface RowProps {
  index: number
  top: number
  device: Device | undefined
  columns: readonly DeviceColumn[]
  /** null: rows cannot be picked. */
  picked: boolean | null
  onPick: (index: number, picked: boolean, through: boolean) => void
}

const Row = memo(function Row({ index, top, device, columns, picked, onPick }: RowProps) {
  const { t } = useTranslation()
  return (
    <div
      role="row"
      className={css.row}
      aria-rowindex={index + 2}
      aria-selected={picked ?? undefined}
      style={{ transform: `translateY(${top}px)` }}
    >
      {picked !== null && (
        <div role="cell" data-column="pick">
          {/* Plain: ten thousand rows scroll by, and each of them is drawn anew. */}
          <input
            type="checkbox"
            className={css.check}
            aria-label={t('devices.pick', { name: device?.name || device?.device_id })}
            checked={picked}
            disabled={!device}
            onChange={() => undefined}
            onClick={(event) => onPick(index, !picked, event.shiftKey)}
          />
        </div>
      )}
      {columns.map(({ id, cell }) => (
        <div role="cell" key={id} data-column={id}>
          {device ? cell(device) : <Skeleton height={10} width="62%" animate={false} />}
        </div>
      ))}
    </div>
  )
})
