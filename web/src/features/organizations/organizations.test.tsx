import { screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { signedOut } from '@/lib/session'
import { renderAt } from '@/testing/render'
import { api, HttpResponse, http, server } from '@/testing/server'
import { beSignedIn } from '@/testing/signed-in'
import { fakeSockets } from '@/testing/sockets'

let sockets: ReturnType<typeof fakeSockets>
beforeEach(() => {
  sockets = fakeSockets()
  beSignedIn()
})
afterEach(() => signedOut('left'))

const plant = (email: string | null) => ({
  id: 'org_1',
  name: 'Werk Nord',
  slug: 'werk-nord',
  plan: 'enterprise',
  settings: { notification_email: email },
  metadata: {},
  version: 1,
  deleted_at: null,
  created_at: '2026-11-01T00:00:00Z',
  updated_at: '2026-11-01T00:00:00Z',
})

it('says that it saved when the live socket redraws the page before the answer is here', async () => {
  let etag = '"1"'
  let email: string | null = null
  let answer = () => {}
  const answered = new Promise<void>((resolve) => {
    answer = resolve
  })
  server.use(
    http.get(api('/organizations'), () => HttpResponse.json({ items: [] })),
    http.get(api('/organizations/org_1/exports'), () => HttpResponse.json({ items: [] })),
    http.get(api('/organizations/org_1'), () =>
      HttpResponse.json(plant(email), { headers: { ETag: etag } }),
    ),
    http.put(api('/organizations/org_1'), async () => {
      etag = '"2"'
      email = 'plant@example.com'
      await answered
      return HttpResponse.json(plant(email), { headers: { ETag: etag } })
    }),
  )
  const { queryClient } = renderAt('/organization')
  await userEvent.type(await screen.findByLabelText('E-mail for notices'), 'plant@example.com')
  await userEvent.click(screen.getByRole('button', { name: 'Save' }))
  sockets.latest()?.open()
  sockets.latest()?.say({ changed: ['organizations/org_1'] })
  await expect
    .poll(() => queryClient.getQueryData<{ etag: string }>(['organizations/org_1'])?.etag)
    .toBe('"2"')
  answer()
  expect(await screen.findByText('Saved')).toBeInTheDocument()
})
