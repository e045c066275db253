import { useTranslation } from 'react-i18next'
import type { Json } from '@/lib/json'

/** The dotted path of a leaf, its last key in front. */
export function Path({ path }: { path: string }) {
  const cut = path.lastIndexOf('.') + 1
  return (
    <span className="mono">
      {cut > 0 && (
        <>
          <span className="quiet">{path.slice(0, cut)}</span>
          <wbr />
        </>
      )}
      {path.slice(cut)}
    </span>
  )
}

/** A leaf's value in the colour of its kind; a dash where there is none. */
export function Value({ value }: { value: Json | undefined }) {
  const { t } = useTranslation()
  if (value === undefined) {
    return (
      <span className="quiet">
        <span aria-hidden>–</span>
        <span className="visually-hidden">{t('shadows.absent')}</span>
      </span>
    )
  }
  const kind = typeof value === 'string' ? 'string' : typeof value === 'number' ? 'number' : 'word'
  return (
    <span className="mono" style={{ color: `var(--syntax-${kind})` }}>
      {JSON.stringify(value)}
    </span>
  )
}
