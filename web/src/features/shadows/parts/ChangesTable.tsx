import { useTranslation } from 'react-i18next'
import { Pill, type Tone } from '@/ui'
import { type ChangeKind, kindOf, type LeafChange } from '../model'
import css from './history.module.css'
import { Path, Value } from './values'

interface ChangesTableProps {
  /** Which side of the shadow. */
  label: string
  /** What the two columns are. */
  before: string
  after: string
  changes: readonly LeafChange[]
}

const TONES: Record<ChangeKind, Tone> = { added: 'good', removed: 'bad', changed: 'wait' }

/** Leaves that differ, both states side by side; each is marked in words and by colour. */
export function ChangesTable({ label, before, after, changes }: ChangesTableProps) {
  const { t } = useTranslation()
  return (
    <div className={css.scroll}>
      <table className={css.changes} aria-label={label}>
        <thead>
          <tr>
            <th scope="col">{label}</th>
            <th scope="col">{before}</th>
            <th scope="col">{after}</th>
          </tr>
        </thead>
        <tbody>
          {changes.map((change) => {
            const kind = kindOf(change)
            return (
              <tr key={change.path} data-kind={kind}>
                <th scope="row">
                  <Path path={change.path} />{' '}
                  <span className={css.kind}>
                    <Pill tone={TONES[kind]}>{t(`shadows.history.kind.${kind}`)}</Pill>
                  </span>
                </th>
                <td>
                  <Value value={change.before} />
                </td>
                <td>
                  <Value value={change.after} />
                </td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}
