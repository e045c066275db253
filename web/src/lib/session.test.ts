import { expect, it } from 'vitest'
import { getProfile } from '@/api/generated'
import { session } from '@/testing/samples'
import { api, HttpResponse, http, problem, server } from '@/testing/server'
import { ApiProblem } from './problem'
import { hasSession, onSessionChange, signedIn, signedOut } from './session'

const profile = () =>
  http.get(api('/auth/profile'), ({ request }) =>
    request.headers.get('Authorization') === 'Bearer access-2'
      ? HttpResponse.json(session().user)
      : problem(401, 'unauthenticated', 'Log in.'),
  )

it('renews the access token once for calls that fail together', async () => {
  signedIn(session(1))
  const used: unknown[] = []
  server.use(
    profile(),
    http.post(api('/auth/refresh'), async ({ request }) => {
      used.push(await request.json())
      return HttpResponse.json(session(2))
    }),
  )
  const answers = await Promise.all([getProfile(), getProfile(), getProfile()])
  expect(answers.map(({ data }) => data.email)).toEqual(Array(3).fill('mara@example.com'))
  expect(used).toEqual([{ refresh_token: 'refresh-1' }])
  expect(localStorage.getItem('edgeflow.refresh')).toBe('refresh-2')
  signedOut('left')
})

it('ends the session when the refresh token is refused', async () => {
  signedIn(session(1))
  const changes: string[] = []
  const stop = onSessionChange((change) => changes.push(change))
  server.use(
    profile(),
    http.post(api('/auth/refresh'), () => problem(401, 'session_ended', 'Log in again.')),
  )
  await expect(getProfile()).rejects.toMatchObject({ status: 401 })
  expect(hasSession()).toBe(false)
  expect(changes).toEqual(['ended'])
  stop()
})

it('keeps the session when the server is only away', async () => {
  signedIn(session(1))
  server.use(
    profile(),
    http.post(api('/auth/refresh'), () => HttpResponse.error()),
  )
  await expect(getProfile()).rejects.toBeInstanceOf(ApiProblem)
  expect(hasSession()).toBe(true)
  signedOut('left')
})
