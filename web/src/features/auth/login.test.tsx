import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, expect, it } from 'vitest'
import { signedOut } from '@/lib/session'
import { renderAt } from '@/testing/render'
import { instance, session } from '@/testing/samples'
import { api, HttpResponse, http, problem, server } from '@/testing/server'
import { fakeSockets } from '@/testing/sockets'
import { safeNext } from './model'

afterEach(() => signedOut('left'))

it('asks a stranger to sign in and then shows what was asked for', async () => {
  fakeSockets()
  server.use(
    http.get(api('/instance'), () => HttpResponse.json(instance())),
    http.post(api('/auth/login'), async ({ request }) => {
      const { password } = (await request.json()) as { password: string }
      return password === 'right'
        ? HttpResponse.json(session())
        : problem(401, 'bad_credentials', 'E-mail or password is wrong.')
    }),
    http.get(api('/auth/profile'), () => HttpResponse.json(session().user)),
    http.post(api('/live/ticket'), () => HttpResponse.json({ ticket: 't', expires_in: 30 })),
    http.get(api('/devices'), () => HttpResponse.json({ items: [], next_cursor: null, total: 0 })),
  )
  const { router } = renderAt('/devices?status=offline')
  await userEvent.type(await screen.findByLabelText('E-mail'), 'mara@example.com')
  await userEvent.type(screen.getByLabelText('Password'), 'wrong')
  await userEvent.click(screen.getByRole('button', { name: 'Sign in' }))
  expect(await screen.findByRole('alert')).toHaveTextContent('E-mail or password is wrong.')

  await userEvent.clear(screen.getByLabelText('Password'))
  await userEvent.type(screen.getByLabelText('Password'), 'right')
  await userEvent.click(screen.getByRole('button', { name: 'Sign in' }))
  expect(await screen.findByText('No device matches')).toBeInTheDocument()
  await waitFor(() => expect(router.state.location.search).toEqual({ status: 'offline' }))
})

it('goes on to paths of this console only', () => {
  expect(safeNext('/devices/dev_1?tab=1')).toBe('/devices/dev_1?tab=1')
  for (const bad of ['//evil.example', '/\\evil.example', 'https://evil.example', undefined, 7]) {
    expect(safeNext(bad)).toBe('/devices')
  }
})
