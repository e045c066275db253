import { pretty } from '@/lib/json'
import css from './ui.module.css'

const TOKEN = /("(?:\\.|[^"\\])*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|\b(true|false|null)\b/g

/** Read-only JSON with colours; light enough for a list, no editor behind it. */
export function JsonView({ value, label }: { value: unknown; label: string }) {
  const text = pretty(value)
  const parts: React.ReactNode[] = []
  let from = 0
  for (const match of text.matchAll(TOKEN)) {
    parts.push(text.slice(from, match.index))
    const [whole, string, colon, number] = match
    const token = string && colon ? 'key' : string ? 'string' : number ? 'number' : 'word'
    parts.push(
      <span key={match.index} style={{ color: `var(--syntax-${token})` }}>
        {whole}
      </span>,
    )
    from = match.index + whole.length
  }
  parts.push(text.slice(from))
  return (
    <section aria-label={label}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard */}
      <pre className={css.json} tabIndex={0}>
        {parts}
      </pre>
    </section>
  )
}
