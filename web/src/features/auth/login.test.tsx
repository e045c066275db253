import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, expect, it } from 'vitest'
import { signedOut } from '@/lib/session'
import { renderAt } from '@/testing/render'
import { instance, profile, session } from '@/testing/samples'
import { api, HttpResponse, http, problem, server } from '@/testing/server'
import { beSignedIn } from '@/testing/signed-in'
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
    http.get(api('/auth/profile'), () => HttpResponse.json(profile())),
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
    expect(safeNext(bad)).toBe('/')
  }
})

it('asks for the code of a second factor, and says what is wrong with one', async () => {
  fakeSockets()
  const sent: unknown[] = []
  server.use(
    http.get(api('/instance'), () => HttpResponse.json(instance({ registration: 'open' }))),
    http.post(api('/auth/login'), async ({ request }) => {
      const body = (await request.json()) as { mfa_code?: string }
      sent.push(body)
      if (!body.mfa_code) return HttpResponse.json({ requires_mfa: true, message: 'A code, too.' })
      return body.mfa_code === '123456'
        ? HttpResponse.json(session())
        : problem(401, 'invalid_mfa_code', 'This code is not right.')
    }),
    http.get(api('/auth/profile'), () => HttpResponse.json(profile())),
    http.post(api('/live/ticket'), () => HttpResponse.json({ ticket: 't', expires_in: 30 })),
    http.get(api('/devices'), () => HttpResponse.json({ items: [], next_cursor: null, total: 0 })),
  )
  renderAt('/login?organization=org_2&next=/devices')
  expect(await screen.findByRole('link', { name: 'Create an account' })).toBeInTheDocument()
  await userEvent.type(screen.getByLabelText('E-mail'), 'mara@example.com')
  await userEvent.type(screen.getByLabelText('Password'), 'right')
  await userEvent.click(screen.getByRole('button', { name: 'Sign in' }))
  const code = await screen.findByLabelText('Code')
  await userEvent.type(code, '000000')
  await userEvent.click(screen.getByRole('button', { name: 'Sign in' }))
  expect(await screen.findByRole('alert')).toHaveTextContent('This code is not right.')
  await userEvent.clear(code)
  await userEvent.type(code, '123456')
  await userEvent.click(screen.getByRole('button', { name: 'Sign in' }))
  expect(await screen.findByText('No devices yet')).toBeInTheDocument()
  expect(sent.at(-1)).toEqual({
    email: 'mara@example.com',
    password: 'right',
    organization_id: 'org_2',
    mfa_code: '123456',
  })
})

it('offers no account where the instance is closed', async () => {
  server.use(http.get(api('/instance'), () => HttpResponse.json(instance())))
  renderAt('/sign-up')
  expect(await screen.findByText('Accounts cannot be made here')).toBeInTheDocument()
  expect(screen.queryByLabelText('Password')).not.toBeInTheDocument()
})

it('uses the link of a verification mail once and takes it out of the address', async () => {
  const tokens: unknown[] = []
  server.use(
    http.get(api('/instance'), () => HttpResponse.json(instance())),
    http.post(api('/auth/verify-email'), async ({ request }) => {
      tokens.push(await request.json())
      return HttpResponse.json({ message: 'Verified.', email: 'mara@example.com' })
    }),
  )
  const { router } = renderAt('/verify-email#token=abc')
  expect(await screen.findByText('Your address is verified')).toBeInTheDocument()
  await waitFor(() => expect(router.state.location.hash).toBe(''))
  expect(tokens).toEqual([{ token: 'abc' }])
})

it('shows a viewer no button that would be refused, and says why', async () => {
  fakeSockets()
  beSignedIn({}, { role: 'viewer', permissions: ['devices:view', 'organization:view'] })
  renderAt('/devices/add')
  expect(await screen.findByText('devices:manage')).toBeInTheDocument()
  expect(screen.queryByRole('button', { name: 'Create code' })).not.toBeInTheDocument()
})
