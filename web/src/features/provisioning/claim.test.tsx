import { screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { forgetClaimCode, keepClaimCode, keptClaimCode } from '@/lib/claim-code'
import { signedOut } from '@/lib/session'
import { renderAt } from '@/testing/render'
import { code, device, instance, profile } from '@/testing/samples'
import { api, HttpResponse, http, problem, server } from '@/testing/server'
import { beSignedIn } from '@/testing/signed-in'
import { fakeSockets } from '@/testing/sockets'
import { hintOf } from './model'

let claimed: unknown[] = []
beforeEach(() => {
  fakeSockets()
  claimed = []
  server.use(
    http.get(api('/instance'), () => HttpResponse.json(instance())),
    http.get(api('/auth/profile'), () => HttpResponse.json(profile())),
    http.get(api('/projects'), () => HttpResponse.json({ items: [], next_cursor: null })),
    http.get(api('/provisioning-codes'), () =>
      HttpResponse.json({
        items: [
          code(),
          code({ id: 'prov_two', hint: 'Z9Z9', status: 'used', device_id: 'dev_one' }),
        ],
        next_cursor: null,
      }),
    ),
    http.get(api('/provisioning-codes/prov_one'), () => HttpResponse.json(code())),
    http.post(api('/devices/claim'), async ({ request }) => {
      const body = (await request.json()) as { code: string }
      claimed.push(body)
      if (body.code !== 'PROV-AAAA-BBBB') return problem(404, 'claim_refused', 'Check the code.')
      const answer = { device_id: 'dev_one', name: 'Oven 4', api_key: 'key-once' }
      return HttpResponse.json(answer, { status: 201 })
    }),
    http.get(api('/devices/dev_one'), () => HttpResponse.json(device())),
  )
})
afterEach(() => {
  forgetClaimCode()
  signedOut('left')
})

it('says what a scanned code is for before the login, and keeps it out of the address', async () => {
  renderAt('/claim#PROV-AAAA-BBBB')
  expect(await screen.findByText(/You opened PROV-AAAA-BBBB/)).toBeInTheDocument()
  expect(screen.getByRole('link', { name: 'Sign in and go on' })).toHaveAttribute(
    'href',
    '/login?next=%2Fdevices%2Fclaim',
  )
  expect(keptClaimCode()).toBe('PROV-AAAA-BBBB')
})

it('takes over a released device and leads to its page', async () => {
  beSignedIn()
  renderAt('/claim#PROV-AAAA-BBBB')
  await userEvent.type(await screen.findByLabelText('Device name'), 'Oven 4')
  await userEvent.click(screen.getByRole('button', { name: 'Take the device over' }))
  expect(await screen.findByText('Oven 4 is yours')).toBeInTheDocument()
  expect(screen.getByText(/EDGEFLOW_API_KEY=key-once/)).toBeInTheDocument()
  expect(screen.getByRole('link', { name: 'Open the device' })).toHaveAttribute(
    'href',
    '/devices/dev_one',
  )
  expect(claimed).toEqual([{ code: 'PROV-AAAA-BBBB', name: 'Oven 4', tags: [] }])
  expect(keptClaimCode()).toBe('')
})

it('shows the line of a code of ours that no device has used, and opens the device of one that has', async () => {
  beSignedIn()
  keepClaimCode('PROV-A1B2-C3D4')
  const { unmount } = renderAt('/devices/claim')
  expect(await screen.findByText(/made the code that ends in C3D4/)).toBeInTheDocument()
  expect(await screen.findByText(/EDGEFLOW_PROVISIONING_CODE=PROV-A1B2-C3D4/)).toBeInTheDocument()
  unmount()
  keepClaimCode('prov-a1b2-z9z9')
  renderAt('/devices/claim')
  expect(await screen.findByRole('link', { name: 'Open the device' })).toHaveAttribute(
    'href',
    '/devices/dev_one',
  )
  expect(claimed).toEqual([])
})

it('takes a typed code, and says why it is refused', async () => {
  beSignedIn()
  renderAt('/devices/claim')
  await userEvent.type(await screen.findByLabelText('Code'), 'PROV-7K2M-9QXA')
  await userEvent.click(screen.getByRole('button', { name: 'Go on' }))
  await userEvent.click(await screen.findByRole('button', { name: 'Take the device over' }))
  expect(await screen.findByText('Check the code.')).toBeInTheDocument()
})

it('reads a code as the server does', () => {
  expect(['PROV-A1B2-C3D4', 'a1b2 c3d4 ', 'prov_ALBO-OIL7'].map(hintOf)).toEqual([
    'C3D4',
    'C3D4',
    '0117',
  ])
})
