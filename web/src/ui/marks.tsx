import type { ReactNode } from 'react'
import css from './ui.module.css'

/** What a mark says, whatever it is about. */
export type Tone = 'good' | 'bad' | 'wait' | 'off' | 'plain'

/** A status mark. Give `label` where no text beside it says the same. */
export function Dot({ tone, pulse, label }: { tone: Tone; pulse?: boolean; label?: string }) {
  return (
    <span className={css.dot} data-tone={tone} data-pulse={pulse || undefined} title={label}>
      {label && <span className="visually-hidden">{label}</span>}
    </span>
  )
}

export function Pill({ tone = 'plain', children }: { tone?: Tone; children: ReactNode }) {
  return (
    <span className={css.pill} data-tone={tone}>
      {children}
    </span>
  )
}

/** Name and value pairs. A value that is not known is left out, not shown as a dash. */
export function Facts({ rows }: { rows: [label: string, value: ReactNode][] }) {
  const known = rows.filter(([, value]) => value !== null && value !== undefined && value !== '')
  return (
    <dl className={css.facts}>
      {known.map(([label, value]) => (
        <div key={label} style={{ display: 'contents' }}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

export const tabsClass = css.tabs
