import { screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { CommandDocument } from '@/api/generated'
import { signedOut } from '@/lib/session'
import { renderAt } from '@/testing/render'
import { device } from '@/testing/samples'
import { api, HttpResponse, http, problem, server } from '@/testing/server'
import { beSignedIn } from '@/testing/signed-in'
import { fakeSockets } from '@/testing/sockets'
import { isDay, windowOf } from './model'

let sockets: ReturnType<typeof fakeSockets>
beforeEach(() => {
  sockets = fakeSockets()
  beSignedIn()
})
afterEach(() => signedOut('left'))

const command = (change: object = {}) =>
  ({
    id: 'cmd_1',
    device_id: 'dev_one',
    action: 'health_check',
    payload: {},
    status: 'sent',
    result: null,
    error: null,
    timeout: 30,
    expires_at: '2026-11-24T05:10:00Z',
    created_by: 'usr_1',
    created_at: '2026-11-24T05:00:00Z',
    sent_at: null,
    finished_at: null,
    truncated: false,
    ...change,
  }) as CommandDocument

it('runs a command and shows the answer when it comes', async () => {
  let current = command()
  server.use(
    http.get(api('/devices/dev_one'), () => HttpResponse.json(device())),
    http.get(api('/devices/dev_one/commands'), () =>
      HttpResponse.json({ items: [current], next_cursor: null }),
    ),
    http.post(api('/devices/dev_one/commands'), () => HttpResponse.json(current, { status: 202 })),
    http.get(api('/commands/cmd_1'), () => HttpResponse.json(current)),
  )
  const { router } = renderAt('/devices/dev_one/commands')
  await userEvent.click(await screen.findByRole('button', { name: 'Run' }))
  expect(await screen.findByText(/Sent; waiting/)).toBeInTheDocument()
  expect(router.state.location.search).toEqual({ command: 'cmd_1' })
  sockets.latest()?.open()
  current = command({
    status: 'done',
    result: { status: 'healthy' },
    finished_at: '2026-11-24T05:00:01Z',
  })
  sockets.latest()?.say({ changed: ['commands/cmd_1', 'devices/dev_one/commands'] })
  expect(await screen.findByRole('region', { name: 'Answer' })).toHaveTextContent('healthy')
  expect(
    within(screen.getByRole('list', { name: 'History' })).getByText('Done'),
  ).toBeInTheDocument()
})

it('offers to keep a command for a device that is away', async () => {
  const asked: unknown[] = []
  server.use(
    http.get(api('/devices/dev_one'), () => HttpResponse.json(device({ status: 'offline' }))),
    http.get(api('/devices/dev_one/commands'), () =>
      HttpResponse.json({ items: [], next_cursor: null }),
    ),
    http.get(api('/commands/cmd_1'), () => HttpResponse.json(command({ status: 'queued' }))),
    http.post(api('/devices/dev_one/commands'), async ({ request }) => {
      const body = (await request.json()) as { ttl?: number }
      asked.push(body.ttl)
      return body.ttl
        ? HttpResponse.json(command({ status: 'queued' }), { status: 202 })
        : problem(409, 'device_offline', 'The device is away.')
    }),
  )
  renderAt('/devices/dev_one/commands')
  await userEvent.click(await screen.findByRole('button', { name: 'Run' }))
  await userEvent.click(await screen.findByRole('button', { name: 'Keep it for a day' }))
  expect(await screen.findByRole('button', { name: 'Cancel command' })).toBeInTheDocument()
  expect(asked).toEqual([undefined, 86_400])
})

it('asks for whole days of the reader, the last one included', () => {
  const { from, to } = windowOf({ from: '2026-11-23', to: '2026-11-24' })
  expect(from && new Date(from)).toEqual(new Date(2026, 10, 23))
  expect(to && new Date(to)).toEqual(new Date(2026, 10, 25))
  expect(windowOf({ action: 'x' })).toEqual({})
  expect(['2026-11-24', '2026-13-40', 20261124, ''].map(isDay)).toEqual([true, false, false, false])
})
