import { screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { signedOut } from '@/lib/session'
import { renderAt } from '@/testing/render'
import { code, device } from '@/testing/samples'
import { api, HttpResponse, http, server } from '@/testing/server'
import { beSignedIn } from '@/testing/signed-in'
import { fakeSockets } from '@/testing/sockets'
import { agentLine } from './model'

let sockets: ReturnType<typeof fakeSockets>
beforeEach(() => {
  sockets = fakeSockets()
})
afterEach(() => signedOut('left'))

it('makes a code, shows the line, and turns green when the device arrives', async () => {
  beSignedIn()
  let current = code()
  server.use(
    http.get(api('/provisioning-codes'), () =>
      HttpResponse.json({ items: [current], next_cursor: null }),
    ),
    http.post(api('/provisioning-codes'), () =>
      HttpResponse.json({ items: [{ ...current, code: 'PROV-A1B2-C3D4' }] }, { status: 201 }),
    ),
    http.get(api('/provisioning-codes/prov_one'), () => HttpResponse.json(current)),
    http.get(api('/devices/dev_one'), () => HttpResponse.json(device())),
  )
  renderAt('/devices/add')
  await userEvent.type(await screen.findByLabelText('Device name'), 'Oven 4')
  await userEvent.click(screen.getByRole('button', { name: 'Create code' }))
  expect(await screen.findByTestId('provisioning-code')).toHaveTextContent('PROV-A1B2-C3D4')
  expect(screen.getByRole('img', { name: 'QR code of the line to paste' })).toBeInTheDocument()
  expect(screen.getByText(/EDGEFLOW_SAAS_URL=cloud.example.com:443/)).toHaveTextContent(
    'EDGEFLOW_PROVISIONING_CODE=PROV-A1B2-C3D4 edgeflow-agent run',
  )
  expect(screen.getByText(/Waiting for the device/)).toBeInTheDocument()

  sockets.latest()?.open()
  current = code({ status: 'used', device_id: 'dev_one' })
  sockets.latest()?.say({ changed: ['provisioning-codes/prov_one'] })
  expect(await screen.findByText('Oven 4 is online')).toBeInTheDocument()
  expect(screen.getByRole('link', { name: 'Open the device' })).toHaveAttribute(
    'href',
    '/devices/dev_one',
  )
})

it('warns when boards cannot reach this server, and says what to set', async () => {
  beSignedIn({ loopback_only: true, public_url: 'http://127.0.0.1:9000' })
  server.use(
    http.get(api('/provisioning-codes'), () => HttpResponse.json({ items: [], next_cursor: null })),
  )
  renderAt('/devices/add')
  expect(
    await screen.findByText('Boards on the network cannot reach this server'),
  ).toBeInTheDocument()
  expect(screen.getByText(/EDGEFLOW_HOST=0.0.0.0/)).toHaveTextContent(
    'EDGEFLOW_PUBLIC_URL=http://this-machine:9000',
  )
})

it('tells the device a host, a port and whether to use TLS', () => {
  const line = (public_url: string) => agentLine({ public_url }, 'C')
  expect(line('https://a.example')).toContain(
    'EDGEFLOW_SAAS_URL=a.example:443 EDGEFLOW_SAAS_TLS=true',
  )
  expect(line('http://10.0.0.5:8000')).toContain(
    'EDGEFLOW_SAAS_URL=10.0.0.5:8000 EDGEFLOW_SAAS_TLS=false',
  )
  expect(line('http://[::1]:8000')).toContain('EDGEFLOW_SAAS_URL=[::1]:8000')
})
