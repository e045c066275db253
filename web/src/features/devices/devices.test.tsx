import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { signedOut } from '@/lib/session'
import { renderAt } from '@/testing/render'
import { device } from '@/testing/samples'
import { api, HttpResponse, http, problem, server } from '@/testing/server'
import { beSignedIn } from '@/testing/signed-in'
import { fakeSockets } from '@/testing/sockets'

let sockets: ReturnType<typeof fakeSockets>
beforeEach(() => {
  sockets = fakeSockets()
  beSignedIn()
})
afterEach(() => signedOut('left'))

const list = (items: object[]) =>
  HttpResponse.json({ items, next_cursor: null, total: items.length })

it('says what to do when there are none', async () => {
  server.use(http.get(api('/devices'), () => list([])))
  renderAt('/devices')
  expect(await screen.findByText('No devices yet')).toBeInTheDocument()
  expect(screen.getByRole('link', { name: 'Add your first device' })).toHaveAttribute(
    'href',
    '/devices/add',
  )
})

it('shows a refusal with its request id, and the list after another try', async () => {
  let broken = true
  server.use(
    http.get(api('/devices'), () =>
      broken ? problem(403, 'permission_denied', 'You may not see devices.') : list([device()]),
    ),
  )
  renderAt('/devices')
  expect(await screen.findByRole('alert')).toHaveTextContent('You may not see devices.')
  expect(screen.getByRole('alert')).toHaveTextContent('req_1')
  broken = false
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }))
  expect(await screen.findByRole('link', { name: 'Oven 4' })).toHaveAttribute(
    'href',
    '/devices/dev_one',
  )
})

it('follows a change of status by itself', async () => {
  let status: 'online' | 'offline' = 'online'
  server.use(http.get(api('/devices'), () => list([device({ status })])))
  renderAt('/devices')
  expect(await screen.findByText('Connected')).toBeInTheDocument()
  // The list may be here before the socket's ticket is.
  await waitFor(() => expect(sockets.latest()).toBeDefined())
  sockets.latest()?.open()
  status = 'offline'
  sockets.latest()?.say({ changed: ['devices/dev_one'] })
  expect(await screen.findByText(/ago|in /)).toBeInTheDocument()
  expect(screen.queryByText('Connected')).not.toBeInTheDocument()
})

it('puts the search into the address and asks the server for it', async () => {
  const asked: (string | null)[] = []
  server.use(
    http.get(api('/devices'), ({ request }) => {
      const search = new URL(request.url).searchParams.get('search')
      asked.push(search)
      return list(
        search === 'oven'
          ? [device()]
          : [device(), device({ device_id: 'dev_two', name: 'Gate 1' })],
      )
    }),
  )
  const { router } = renderAt('/devices')
  expect(await screen.findByRole('link', { name: 'Gate 1' })).toBeInTheDocument()
  await userEvent.type(screen.getByRole('combobox', { name: 'Search devices' }), 'oven')
  await screen.findByRole('link', { name: 'Oven 4' })
  await expect.poll(() => asked.includes('oven')).toBe(true)
  expect(router.state.location.search).toEqual({ search: 'oven' })
  await expect.poll(() => screen.queryByRole('link', { name: 'Gate 1' })).toBeNull()
})
