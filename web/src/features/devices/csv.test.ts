import { expect, it } from 'vitest'
import { decoded, partsOf, recordsOf } from './csv'
import { type ImportResult, joined, keysCsv } from './transfer'

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
  expect(partsOf('sep=;\nname;tags\na;b\nc;d\n', 1)).toEqual([
    { csv: 'sep=;\nname;tags\na;b\n', records: 1, offset: 0 },
    { csv: 'sep=;\nname;tags\nc;d\n', records: 1, offset: 1 },
  ])
})

it('adds up what the parts did, by the lines of the whole', () => {
  const row = { outcome: 'created', name: 'c', errors: [], changed: [] } as const
  const one: ImportResult = {
    created: 1,
    updated: 0,
    unchanged: 0,
    failed: 0,
    rows: [{ ...row, errors: [], changed: [], line: 2 }],
  }
  const sum = joined(one, one, 4)
  expect([sum.created, sum.rows.map(({ line }) => line)]).toEqual([2, [2, 6]])
})

it('reads what spreadsheets write', () => {
  expect(decoded(Uint8Array.of(0x4f, 0xc3, 0xbc).buffer)).toBe('Oü')
  expect(decoded(Uint8Array.of(0x4f, 0xfc).buffer)).toBe('Oü')
  expect(decoded(Uint8Array.of(0xff, 0xfe, 0x4f, 0x00).buffer)).toBe('O')
})

it('keeps the keys of those that were made, in a table that no spreadsheet takes for a formula', () => {
  const row = { errors: [], changed: [] }
  const csv = keysCsv([
    { ...row, line: 2, outcome: 'created', device_id: 'dev_a', name: '=x', api_key: 'k' },
    { ...row, line: 3, outcome: 'updated', device_id: 'dev_b', name: 'b' },
    { ...row, line: 4, outcome: 'created', device_id: 'dev_c', name: 'c, d', api_key: 'l' },
  ])
  expect(csv.split('\r\n')).toEqual(['name,device_id,api_key', "'=x,dev_a,k", '"c, d",dev_c,l', ''])
})
