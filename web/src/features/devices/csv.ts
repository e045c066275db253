export interface CsvPart {
  /** The heading and some of the records after it. */
  csv: string
  /** Records in it. */
  records: number
  /** What to add to a line of this part to have the line of the whole. */
  offset: number
}

/** The text of each record with the line that it begins on (1 is the first). A line break inside quotes ends none. */
export function recordsOf(text: string): { line: number; text: string }[] {
  const found: { line: number; text: string }[] = []
  let quoted = false
  let line = 1
  let start = { at: 0, line: 1 }
  const end = (at: number) => {
    const record = text.slice(start.at, at).replace(/\r$/, '')
    if (record.trim() !== '') found.push({ line: start.line, text: record })
  }
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]
    if (character === '"') quoted = !quoted
    if (character !== '\n') continue
    line += 1
    if (quoted) continue
    end(at)
    start = { at: at + 1, line }
  }
  end(text.length)
  return found
}

/** A table in parts of so many records, each with the heading: what a single call takes, and what progress counts by. */
export function partsOf(text: string, size: number): CsvPart[] {
  const [heading, ...records] = recordsOf(text.replace(/^\uFEFF/, ''))
  if (!heading) return []
  const parts: CsvPart[] = []
  for (let from = 0; from < Math.max(1, records.length); from += size) {
    const some = records.slice(from, from + size)
    // Lines that were left empty in between stay, so that every line keeps its place.
    let csv = `${heading.text}\n`
    let line = some[0]?.line ?? 2
    const offset = line - 2
    for (const record of some) {
      csv += '\n'.repeat(record.line - line)
      csv += `${record.text}\n`
      line = record.line + record.text.split('\n').length
    }
    parts.push({ csv, records: some.length, offset })
  }
  return parts
}
