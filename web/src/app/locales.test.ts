import { expect, it } from 'vitest'
import en from './locales/en.json'

const others = import.meta.glob<{ default: typeof en }>(
  ['./locales/*.json', '!./locales/en.json'],
  {
    eager: true,
  },
)

/** `a.b` to the names that stand in its text. */
function placesOf(value: unknown, path = ''): Record<string, string[]> {
  if (typeof value === 'string')
    return { [path]: [...value.matchAll(/{{\w+}}/g)].map(String).sort() }
  return Object.assign(
    {},
    ...Object.entries(value as object).map(([key, child]) =>
      placesOf(child, path ? `${path}.${key}` : key),
    ),
  )
}

it('has every word in every language, with the same names in it', () => {
  expect(Object.keys(others).length).toBeGreaterThan(0)
  for (const [file, catalogue] of Object.entries(others)) {
    expect(placesOf(catalogue.default), file).toEqual(placesOf(en))
  }
})
