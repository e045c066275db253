import { useTranslation } from 'react-i18next'
import type { Json } from '@/lib/json'
import { Pill, RelativeTime } from '@/ui'
import type { ShadowRow } from '../model'
import css from './shadows.module.css'
import { Path, Value } from './values'

/** Both sides leaf by leaf; what the device has yet to do is marked by colour, by an arrow and in words. */
export function ShadowTable({ rows }: { rows: ShadowRow[] }) {
  const { t } = useTranslation()
  // What somebody asked for comes first, and first of it what is not so yet; the rest is what the device tells of itself.
  const wanted = rows.filter((row) => row.state !== 'reported')
  wanted.sort((a, b) => Number(b.state === 'pending') - Number(a.state === 'pending'))
  const told = rows.filter((row) => row.state === 'reported')
  return (
    <div className={css.scroll}>
      <table className={css.table} aria-label={t('shadows.title')}>
        <thead>
          <tr>
            <th scope="col">{t('shadows.key')}</th>
            <th scope="col">{t('shadows.desired')}</th>
            <th scope="col">{t('shadows.reported')}</th>
          </tr>
        </thead>
        {wanted.length > 0 && (
          <tbody>
            {wanted.map((row) => (
              <Leaf key={row.path} row={row} />
            ))}
          </tbody>
        )}
        {told.length > 0 && (
          <tbody>
            {wanted.length > 0 && (
              <tr className={css.group}>
                <th scope="rowgroup" colSpan={3}>
                  {t('shadows.reportedOnly')}
                </th>
              </tr>
            )}
            {told.map((row) => (
              <Leaf key={row.path} row={row} />
            ))}
          </tbody>
        )}
      </table>
    </div>
  )
}

function Leaf({ row }: { row: ShadowRow }) {
  const { t } = useTranslation()
  return (
    <tr data-state={row.state}>
      <th scope="row">
        <Path path={row.path} />
      </th>
      <td>
        <Side value={row.desired} at={row.desiredAt} />
        {row.state === 'pending' && (
          <span className={css.mark}>
            <Pill tone="wait">{t('shadows.waiting')}</Pill>
          </span>
        )}
      </td>
      <td>
        <Side value={row.reported} at={row.reportedAt} />
      </td>
    </tr>
  )
}

/** A value, and when it was set. */
function Side({ value, at }: { value: Json | undefined; at: string | undefined }) {
  return (
    <>
      <Value value={value} />
      {value !== undefined && at && (
        <span className={css.when}>
          <RelativeTime iso={at} />
        </span>
      )}
    </>
  )
}
