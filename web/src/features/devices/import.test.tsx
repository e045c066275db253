import { screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { signedOut } from '@/lib/session'
import { renderAt } from '@/testing/render'
import { profile } from '@/testing/samples'
import { api, HttpResponse, http, problem, server } from '@/testing/server'
import { beSignedIn } from '@/testing/signed-in'
import { fakeSockets } from '@/testing/sockets'
import { PART_SIZE } from './transfer'

/** What the server would say: a line without a name has an error, any other becomes a device. */
const answer = (csv: string) => {
  const rows = csv
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((text, index) => {
      const name = text.split(',')[0] ?? ''
      return name
        ? { line: index + 2, outcome: 'created', name, errors: [] }
        : { line: index + 2, outcome: 'failed', name, errors: ['name: It is missing.'] }
    })
  const count = (outcome: string) => rows.filter((row) => row.outcome === outcome).length
  return { created: count('created'), updated: 0, unchanged: 0, failed: count('failed'), rows }
}

let calls: { dry: boolean; csv: string; type: string | null }[] = []
let breaks = false
beforeEach(() => {
  fakeSockets()
  beSignedIn()
  calls = []
  breaks = false
  server.use(
    http.get(api('/auth/profile'), () => HttpResponse.json(profile())),
    http.post(api('/devices/import'), async ({ request }) => {
      const csv = await request.text()
      const dry = new URL(request.url).searchParams.get('dry_run') === 'true'
      if (!dry && breaks && calls.some((call) => !call.dry))
        return problem(503, 'unavailable', 'Try again soon.')
      calls.push({ dry, csv, type: request.headers.get('content-type') })
      return HttpResponse.json(answer(csv))
    }),
  )
})
afterEach(() => signedOut('left'))

const table = () => screen.findByLabelText('Paste a table, or drop a file here')
async function paste(csv: string) {
  const box = await table()
  await userEvent.click(box)
  await userEvent.paste(csv)
  await userEvent.click(screen.getByRole('button', { name: 'Check' }))
}

it('shows an error with its line, lets it be mended, and imports what was checked', async () => {
  renderAt('/devices/import')
  await paste('name,tags\nOven 4,a\n,b')
  expect(await screen.findByText('name: It is missing.')).toBeInTheDocument()
  expect(screen.getByText(',b')).toBeInTheDocument()
  await userEvent.type(await table(), 'c')
  expect(screen.queryByText('name: It is missing.')).toBeNull()
  await userEvent.clear(await table())
  await paste('name,tags\nOven 4,a\nOven 5,b')
  await userEvent.click(await screen.findByRole('button', { name: 'Import 2 devices' }))
  expect(await screen.findByRole('heading', { name: 'Imported' })).toBeInTheDocument()
  expect(within(await screen.findByRole('table')).getAllByText('created')).toHaveLength(2)
  expect(calls.map(({ dry, type }) => [dry, type])).toEqual([
    [true, 'text/csv'],
    [true, 'text/csv'],
    [false, 'text/csv'],
  ])
  expect(calls[2]?.csv).toBe('name,tags\nOven 4,a\nOven 5,b\n')
})

it('goes part by part, and when one fails says what was done and what was not', async () => {
  renderAt('/devices/import')
  const names = Array.from({ length: PART_SIZE + 3 }, (_, index) => `d${index}`)
  await paste(`name\n${names.join('\n')}`)
  breaks = true
  await userEvent.click(
    await screen.findByRole('button', { name: `Import ${PART_SIZE + 3} devices` }),
  )
  expect(await screen.findByText('Try again soon.')).toBeInTheDocument()
  expect(screen.getByText(/3 lines were not tried/)).toBeInTheDocument()
  expect(calls.filter(({ dry }) => dry)).toHaveLength(2)
})
