import { screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { ShadowVersion } from '@/api/generated'
import { signedOut } from '@/lib/session'
import { renderAt } from '@/testing/render'
import { device, profile, shadow } from '@/testing/samples'
import { api, HttpResponse, http, problem, server } from '@/testing/server'
import { beSignedIn } from '@/testing/signed-in'
import { fakeSockets } from '@/testing/sockets'
import { changesBetween, kindOf, touched } from './model'

const MARA = { kind: 'user', id: 'usr_1', name: 'Mara' }
const version = (change: Partial<ShadowVersion>): ShadowVersion => ({
  version: 7,
  changed: 'desired',
  at: '2026-11-24T05:00:00Z',
  by: MARA,
  patch: { interval: 10 },
  truncated: false,
  ...change,
})

let current = shadow()
let asked: unknown[] = []
beforeEach(() => {
  fakeSockets()
  beSignedIn()
  current = shadow()
  asked = []
  server.use(
    http.get(api('/devices/dev_one'), () => HttpResponse.json(device())),
    http.get(api('/devices/dev_one/explain'), () =>
      HttpResponse.json({ device_id: 'dev_one', findings: [] }),
    ),
    http.get(api('/auth/profile'), () => HttpResponse.json(profile())),
    http.get(api('/devices/dev_one/shadow'), () => HttpResponse.json(current)),
    http.get(api('/devices/dev_one/shadow/history'), () =>
      HttpResponse.json({
        items: [
          version({}),
          version({
            version: 6,
            changed: 'reported',
            by: { kind: 'device', id: 'dev_one' },
            patch: { interval: 30 },
          }),
          version({ version: 5, patch: { mode: 'auto', speed: null } }),
        ],
        next_cursor: null,
      }),
    ),
    http.get(api('/devices/dev_one/shadow/diff'), ({ request }) => {
      const { searchParams } = new URL(request.url)
      const [from, to] = [searchParams.get('from'), searchParams.get('to')].map(Number)
      return HttpResponse.json({
        from,
        to,
        changes: [{ path: 'interval', section: 'desired', before: null, after: to }],
      })
    }),
    http.get(api('/devices/dev_one/shadow/history/5'), () =>
      HttpResponse.json(shadow({ version: 5, desired: { mode: 'auto', speed: 3 } })),
    ),
    http.post(api('/devices/dev_one/shadow/restore'), async ({ request }) => {
      const matches = request.headers.get('if-match') === `"${current.version}"`
      if (!matches) return problem(409, 'version_conflict', 'Read it again.')
      asked.push(await request.json())
      current = shadow({ version: current.version + 1 })
      return HttpResponse.json(current)
    }),
  )
})
afterEach(() => signedOut('left'))

it('says who changed what, and compares the newest with the one before', async () => {
  renderAt('/devices/dev_one/shadow/history')
  const list = within(await screen.findByRole('list', { name: 'Versions' }))
  expect(list.getByRole('button', { name: /7 Desired interval Mara/ })).toHaveAttribute(
    'aria-current',
    'true',
  )
  expect(list.getByRole('button', { name: /6 Reported interval The device/ })).toBeInTheDocument()
  expect(list.getByRole('button', { name: /5 Desired mode, −speed/ })).toBeInTheDocument()
  const row = within(await screen.findByRole('row', { name: /interval added/ }))
  expect(row.getByText('7')).toBeInTheDocument()
  expect(screen.getByRole('columnheader', { name: 'Version 6' })).toBeInTheDocument()
})

it('shows what restoring would change before it does it, and does it once', async () => {
  renderAt('/devices/dev_one/shadow/history?from=4&to=5')
  await userEvent.click(await screen.findByRole('button', { name: 'Restore version 5' }))
  const dialog = within(await screen.findByRole('dialog'))
  expect(await dialog.findByRole('row', { name: /interval removed/ })).toBeInTheDocument()
  expect(dialog.getByRole('row', { name: /speed added/ })).toBeInTheDocument()
  expect(dialog.queryByRole('row', { name: /mode/ })).toBeNull()
  // The device reported meanwhile: no reason to stop.
  current = shadow({ version: 9, reported: { interval: 31 } })
  await userEvent.click(dialog.getByRole('button', { name: 'Restore' }))
  expect(await screen.findByText('Restored as version 10')).toBeInTheDocument()
  expect(asked).toEqual([{ version: 5 }])
})

it('does not restore over a wish that nobody has seen here', async () => {
  renderAt('/devices/dev_one/shadow/history?from=4&to=5')
  await userEvent.click(await screen.findByRole('button', { name: 'Restore version 5' }))
  const dialog = within(await screen.findByRole('dialog'))
  await dialog.findByRole('row', { name: /speed added/ })
  current = shadow({ version: 8, desired: { mode: 'manual' } })
  await userEvent.click(dialog.getByRole('button', { name: 'Restore' }))
  expect(await dialog.findByText(/Read it again/)).toBeInTheDocument()
  expect(asked).toEqual([])
  expect(await dialog.findByRole('row', { name: /mode changed/ })).toBeInTheDocument()
})

it('tells added, removed and changed apart, with dots inside a key kept', () => {
  const changes = changesBetween(
    { a: 1, b: { c: [1] }, 'x.y': 1 },
    { a: 2, b: { c: [1], d: true } },
  )
  expect(changes.map((change) => [change.path, kindOf(change)])).toEqual([
    ['a', 'changed'],
    ['b.d', 'added'],
    ['x\\.y', 'removed'],
  ])
  expect(touched({ a: { b: null }, c: 1 })).toEqual(['−a.b', 'c'])
})
