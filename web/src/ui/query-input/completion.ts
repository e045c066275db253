/** What may be asked about: a name, the operators it takes and, where they are known, its values. */
export interface QueryField {
  name: string
  type: string
  description: string
  operators: readonly string[]
  values?: readonly string[] | null
  example: string
}

export interface Completion {
  /** What replaces the text between `from` and `to`. */
  text: string
  kind: 'field' | 'operator' | 'value' | 'word'
  detail?: string
}

export interface Completions {
  from: number
  to: number
  options: Completion[]
}

interface Token {
  kind: 'word' | 'string' | 'operator' | 'open' | 'close'
  text: string
  from: number
  to: number
}

const TOKEN = /\s+|"(?:\\.|[^"\\])*"?|[()[\],]|[=<>!~]+|[^\s"()[\],=<>!~]+/g
const CONNECTIVES = ['and', 'or']
const MOST = 12

function tokensOf(text: string): Token[] {
  return Array.from(text.matchAll(TOKEN)).flatMap((match): Token[] => {
    const [token] = match
    const span = { text: token, from: match.index, to: match.index + token.length }
    if (/^\s/.test(token)) return []
    if (token.startsWith('"')) return [{ kind: 'string', ...span }]
    if (token === '(' || token === '[') return [{ kind: 'open', ...span }]
    if (token === ')' || token === ']') return [{ kind: 'close', ...span }]
    if (/^[=<>!~]/.test(token)) return [{ kind: 'operator', ...span }]
    return [{ kind: 'word', ...span }]
  })
}

/** `shadow.reported.*` stands for every name that begins so. */
function fieldNamed(name: string, fields: readonly QueryField[]): QueryField | undefined {
  const wanted = name.toLowerCase()
  return (
    fields.find((field) => field.name.toLowerCase() === wanted) ??
    fields.find(
      (field) =>
        stemOf(field.name) !== field.name && wanted.startsWith(stemOf(field.name).toLowerCase()),
    )
  )
}

/** The part of a field's name that stands fast: `shadow.reported.` of `shadow.reported.<path>`. */
export const stemOf = (name: string): string => name.replace(/[*<{].*$/, '')

export const quoted = (value: string): string =>
  /^[A-Za-z_][A-Za-z0-9_]*$/.test(value) ? value : JSON.stringify(value)

type Expected =
  | { what: 'field' }
  | { what: 'operator'; field: QueryField | undefined }
  | { what: 'value'; field: QueryField | undefined }
  | { what: 'connective' }

/** What the grammar has room for after `tokens`. */
function expectedAfter(tokens: readonly Token[], fields: readonly QueryField[]): Expected {
  let expected: Expected = { what: 'field' }
  let list = false
  for (const token of tokens) {
    const word = token.text.toLowerCase()
    if (expected.what === 'field') {
      if (token.kind === 'word' && word !== 'not') {
        expected = { what: 'operator', field: fieldNamed(token.text, fields) }
      }
    } else if (expected.what === 'operator') {
      // `not in`: the operator goes on.
      if (word !== 'not') expected = { what: 'value', field: expected.field }
    } else if (expected.what === 'value') {
      if (token.kind === 'open') list = true
      else if (token.kind === 'close') {
        list = false
        expected = { what: 'connective' }
      } else if (!list && token.text !== ',') expected = { what: 'connective' }
    } else if (CONNECTIVES.includes(word)) {
      expected = { what: 'field' }
    }
  }
  return expected
}

function optionsFor(expected: Expected, fields: readonly QueryField[]): Completion[] {
  switch (expected.what) {
    case 'field':
      return [
        ...fields.map(
          ({ name, description }): Completion => ({
            text: stemOf(name),
            kind: 'field',
            detail: description,
          }),
        ),
        { text: 'not', kind: 'word' },
      ]
    case 'operator':
      return (expected.field?.operators ?? []).map((text) => ({ text, kind: 'operator' }))
    case 'value':
      return (expected.field?.values ?? []).map((value) => ({ text: quoted(value), kind: 'value' }))
    case 'connective':
      return CONNECTIVES.map((text) => ({ text, kind: 'word' }))
  }
}

/** What could stand at `caret`: the token that it touches is replaced, what does not fit it is left out. */
export function completionsAt(
  text: string,
  caret: number,
  fields: readonly QueryField[],
): Completions {
  const tokens = tokensOf(text.slice(0, caret))
  const last = tokens.at(-1)
  const touched =
    last && last.to === caret && (last.kind === 'word' || last.kind === 'string') ? last : undefined
  const expected = expectedAfter(touched ? tokens.slice(0, -1) : tokens, fields)
  const typed = (touched?.text ?? '').replace(/^"|"$/g, '').toLowerCase()
  const options = optionsFor(expected, fields)
    .map((option) => ({ option, at: option.text.replace(/^"/, '').toLowerCase().indexOf(typed) }))
    .filter(({ at, option }) => at >= 0 && option.text !== touched?.text)
    .sort((a, b) => Number(a.at > 0) - Number(b.at > 0))
    .map(({ option }) => option)
  return { from: touched?.from ?? caret, to: caret, options: options.slice(0, MOST) }
}

/** The text with a completion taken, and where the caret stands then. */
export function complete(
  text: string,
  { from, to }: Pick<Completions, 'from' | 'to'>,
  completion: Completion,
): { text: string; caret: number } {
  const rest = text.slice(to)
  // A stem wants its rest typed on; everything else is a whole token.
  const stop = completion.kind === 'field' && completion.text.endsWith('.') ? '' : ' '
  const before = text.slice(0, from)
  const gap = before !== '' && !/[\s(]$/.test(before) ? ' ' : ''
  const inserted = gap + completion.text + (rest.startsWith(' ') && stop ? '' : stop)
  return {
    text: before + inserted + rest,
    caret: from + inserted.length + (rest.startsWith(' ') && stop ? 1 : 0),
  }
}

/** Whether a text asks in the query language, or is only words to look for. */
export const isQuery = (text: string): boolean => /[=<>!~]|\bin\s*\(/i.test(text)
