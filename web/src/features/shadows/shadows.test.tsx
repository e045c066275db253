import { screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { signedOut } from '@/lib/session'
import { renderAt } from '@/testing/render'
import { device, shadow } from '@/testing/samples'
import { api, HttpResponse, http, problem, server } from '@/testing/server'
import { beSignedIn } from '@/testing/signed-in'
import { fakeSockets } from '@/testing/sockets'

// CodeMirror measures what jsdom does not lay out; what matters here is the text that goes through it.
vi.mock('@/ui/json-editor', () => ({
  JsonEditor: ({
    value,
    onChange,
    label,
  }: {
    value: string
    onChange: (text: string) => void
    label: string
  }) => (
    <textarea
      aria-label={label}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  ),
  JsonDiff: ({ after, label }: { after: string; label: string }) => (
    <section aria-label={label}>{after}</section>
  ),
}))

let current = shadow()
let saved: unknown[] = []
beforeEach(() => {
  fakeSockets()
  beSignedIn()
  current = shadow()
  saved = []
  server.use(
    http.get(api('/devices/dev_one'), () => HttpResponse.json(device())),
    http.get(api('/devices/dev_one/shadow'), () => HttpResponse.json(current)),
    http.put(api('/devices/dev_one/shadow'), async ({ request }) => {
      const body = (await request.json()) as { version: number }
      if (body.version !== current.version)
        return problem(409, 'version_conflict', 'Read it again.')
      saved.push(body)
      current = shadow({ version: current.version + 1 })
      return HttpResponse.json(current)
    }),
  )
})
afterEach(() => signedOut('left'))

const editor = () => screen.findByRole('textbox', { name: 'Desired state as JSON' })
async function write(value: object) {
  const box = await editor()
  await userEvent.clear(box)
  await userEvent.click(box)
  await userEvent.paste(JSON.stringify(value))
}

it('shows both sides and marks what the device has yet to do', async () => {
  renderAt('/devices/dev_one/shadow')
  const row = await screen.findByRole('row', { name: /interval/ })
  expect(within(row).getByText('not yet')).toBeInTheDocument()
  expect(screen.getByText('1 key waits for the device')).toBeInTheDocument()
  expect(within(screen.getByRole('row', { name: /mode/ })).queryByText('not yet')).toBeNull()
})

it('sends only the change, with the version, and removes with null', async () => {
  renderAt('/devices/dev_one/shadow?edit=true')
  await write({ interval: 20 })
  await userEvent.click(screen.getByRole('button', { name: 'Save' }))
  await expect.poll(() => saved).toEqual([{ desired: { interval: 20, mode: null }, version: 7 }])
  expect(await screen.findByText('Saved as version 8')).toBeInTheDocument()
})

it('saves over a report of the device without asking', async () => {
  renderAt('/devices/dev_one/shadow?edit=true')
  await write({ interval: 20, mode: 'auto' })
  current = shadow({ version: 9, reported: { interval: 31 } })
  await userEvent.click(screen.getByRole('button', { name: 'Save' }))
  await expect.poll(() => saved).toEqual([{ desired: { interval: 20 }, version: 9 }])
})

it('stops at a change by somebody else and puts ours on top when told to', async () => {
  renderAt('/devices/dev_one/shadow?edit=true')
  await write({ interval: 20, mode: 'auto' })
  current = shadow({ version: 8, desired: { interval: 10, mode: 'manual' } })
  await userEvent.click(screen.getByRole('button', { name: 'Save' }))
  expect(await screen.findByText(/Somebody else saved version 8/)).toBeInTheDocument()
  expect(saved).toEqual([])
  await userEvent.click(screen.getByRole('button', { name: 'Put my changes on top' }))
  expect(JSON.parse(((await editor()) as HTMLTextAreaElement).value)).toEqual({
    interval: 20,
    mode: 'manual',
  })
  await userEvent.click(screen.getByRole('button', { name: 'Save' }))
  await expect.poll(() => saved).toEqual([{ desired: { interval: 20 }, version: 8 }])
})

it('refuses what is not one object, in words', async () => {
  renderAt('/devices/dev_one/shadow?edit=true')
  await userEvent.clear(await editor())
  await userEvent.type(await editor(), '[[1]')
  expect(screen.getByText(/It must be one JSON object/)).toBeInTheDocument()
  expect(screen.getByRole('button', { name: 'Save' })).toBeDisabled()
})
