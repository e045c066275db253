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

/** A file's text: as UTF-8 or UTF-16 if it is that, else as a spreadsheet on Windows writes it. */
export function decoded(bytes: ArrayBuffer): string {
  const [first, second] = new Uint8Array(bytes)
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes)
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return new TextDecoder('windows-1252').decode(bytes)
  }
}

/** A table in parts of so many records, each with the heading: what a single call takes, and what progress counts by. */
export function partsOf(text: string, size: number): CsvPart[] {
  const all = recordsOf(text.replace(/^\uFEFF/, ''))
  // A spreadsheet may say in a line of its own what stands between the cells: it belongs to the heading.
  const declares = /^sep=/i.test(all[0]?.text ?? '')
  const heading = all.slice(0, declares ? 2 : 1)
  const records = all.slice(heading.length)
  if (heading.length === 0) return []
  const head = `${heading.map((record) => record.text).join('\n')}\n`
  const lines = head.split('\n').length
  const parts: CsvPart[] = []
  for (let from = 0; from < Math.max(1, records.length); from += size) {
    const some = records.slice(from, from + size)
    // Lines that were left empty in between stay, so that every line keeps its place.
    let csv = head
    let line = some[0]?.line ?? lines
    const offset = line - lines
    for (const record of some) {
      csv += '\n'.repeat(record.line - line)
      csv += `${record.text}\n`
      line = record.line + record.text.split('\n').length
    }
    parts.push({ csv, records: some.length, offset })
  }
  return parts
}
