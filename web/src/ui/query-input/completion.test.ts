import { expect, it } from 'vitest'
import { complete, completionsAt, isQuery, type QueryField } from './completion'

const fields: QueryField[] = [
  {
    name: 'status',
    type: 'enum',
    description: 'Online or not',
    operators: ['=', '!='],
    values: ['online', 'offline'],
    example: '',
  },
  {
    name: 'tag',
    type: 'text',
    description: 'A tag',
    operators: ['=', 'in'],
    values: ['line-3', 'lab'],
    example: '',
  },
  {
    name: 'shadow.reported.<path>',
    type: 'any',
    description: 'A leaf',
    operators: ['=', '<'],
    example: '',
  },
]
const at = (marked: string) => {
  const caret = marked.indexOf('|')
  return completionsAt(marked.replace('|', ''), caret, fields)
}
const texts = (marked: string) => at(marked).options.map(({ text }) => text)

it.each([
  ['|', ['status', 'tag', 'shadow.reported.', 'not']],
  ['st|', ['status']],
  ['status |', ['=', '!=']],
  ['status = |', ['online', 'offline']],
  ['status = off|', ['offline']],
  ['tag = "li|', ['"line-3"']],
  ['tag in (lab, |', ['"line-3"', 'lab']],
  ['tag in (lab) |', ['and', 'or']],
  ['status = online |', ['and', 'or']],
  ['status = online and not |', ['status', 'tag', 'shadow.reported.', 'not']],
  ['(status = online or t|', ['tag', 'status', 'shadow.reported.', 'not']],
  ['shadow.reported.gpio.mode |', ['=', '<']],
  ['unknown |', []],
])('knows what comes next in %s', (marked, expected) => {
  expect(texts(marked)).toEqual(expected)
})

it('replaces the word under the caret and leaves the rest alone', () => {
  const found = at('st| and tag = lab')
  const option = found.options[0]
  expect(option && complete('st and tag = lab', found, option)).toEqual({
    text: 'status and tag = lab',
    caret: 7,
  })
  const stem = at('shadow|')
  expect(stem.options[0] && complete('shadow', stem, stem.options[0]).text).toBe('shadow.reported.')
})

it('tells a query from words to look for', () => {
  expect(['oven', 'oven 4', '10.0.0.7', 'line in hall'].map(isQuery)).toEqual([
    false,
    false,
    false,
    false,
  ])
  expect(['status = online', 'cpu>80', 'tag in (a, b)'].map(isQuery)).toEqual([true, true, true])
})
