import type { ReactNode } from 'react'
import css from './table.module.css'

export interface Column<T> {
  id: string
  /** Empty for a column of buttons; give `label` then. */
  header: string
  label?: string
  cell: (row: T) => ReactNode
  /** Numbers and buttons stand at the end. */
  end?: boolean
}

interface TableProps<T> {
  label: string
  columns: Column<T>[]
  rows: readonly T[]
  rowKey: (row: T) => string
}

/** A table of a few hundred rows at most; on a phone each row is a card with its headers inside. */
export function Table<T>({ label, columns, rows, rowKey }: TableProps<T>) {
  return (
    <table className={css.table} aria-label={label}>
      <thead>
        <tr>
          {columns.map(({ id, header, label: hidden, end }) => (
            <th key={id} scope="col" data-end={end || undefined}>
              {header || <span className="visually-hidden">{hidden}</span>}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={rowKey(row)}>
            {columns.map(({ id, header, cell, end }, index) => {
              const content = cell(row)
              return index === 0 ? (
                <th key={id} scope="row">
                  {content}
                </th>
              ) : (
                <td
                  key={id}
                  data-label={header || undefined}
                  data-end={end || undefined}
                  data-empty={content === null || content === undefined || undefined}
                >
                  {content}
                </td>
              )
            })}
          </tr>
        ))}
      </tbody>
    </table>
  )
}
