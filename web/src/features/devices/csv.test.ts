import { expect, it } from 'vitest'
import { partsOf, recordsOf } from './csv'
import { type ImportResult, joined } from './transfer'

it('keeps a line break inside quotes in its record, and every record on its line', () => {
  expect(recordsOf('name,notes\r\na,"one\ntwo ""x"""\r\n\r\nb,\r\n')).toEqual([
    { line: 1, text: 'name,notes' },
    { line: 2, text: 'a,"one\ntwo ""x"""' },
    { line: 5, text: 'b,' },
  ])
})

it('cuts a table into parts that each have the heading and know where they stand', () => {
  const parts = partsOf('\uFEFFname,notes\na,"1\n2"\nb,\n\nc,\nd,\n', 2)
  expect(parts).toEqual([
    { csv: 'name,notes\na,"1\n2"\nb,\n', records: 2, offset: 0 },
    { csv: 'name,notes\nc,\nd,\n', records: 2, offset: 4 },
  ])
  expect(partsOf('name\n', 2)).toEqual([{ csv: 'name\n', records: 0, offset: 0 }])
  expect(partsOf(' \n', 2)).toEqual([])
})

it('adds up what the parts did, by the lines of the whole', () => {
  const row = { outcome: 'created', name: 'c', errors: [] } as const
  const one: ImportResult = {
    created: 1,
    updated: 0,
    unchanged: 0,
    failed: 0,
    rows: [{ ...row, errors: [], line: 2 }],
  }
  const sum = joined(one, one, 4)
  expect([sum.created, sum.rows.map(({ line }) => line)]).toEqual([2, [2, 6]])
})
