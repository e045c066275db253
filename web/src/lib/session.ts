import { refresh as refreshCall } from '@/api/generated'
import { ApiProblem, toProblem } from './problem'

/**
 * Who is signed in, and the two tokens.
 *
 * The access token lives in memory only. The refresh token is in localStorage: it survives a reload and is shared by
 * tabs, which sessionStorage is not (each new tab would ask for the password again, and a duplicated tab would carry a
 * copy of a one-use token). What guards it is the policy the console is served with (`script-src 'self'`, no inline
 * script) and the server's rotation: a refresh token that is used twice ends its session.
 *
 * Because of that rotation two tabs must never refresh with the same token: see `exclusively`.
 */
const KEY = 'edgeflow.refresh'
const SESSION = 'edgeflow.session'
const LEASE = 'edgeflow.refresh.lease'
const LEASE_MS = 8_000

export interface Tokens {
  access_token: string
  refresh_token: string
  session_id: string
}

let access: string | null = null
let flight: Promise<string | null> | null = null
/** in: signed in · left: signed out by the person · ended: the server no longer accepts the session */
export type SessionChange = 'in' | 'left' | 'ended'
const listeners = new Set<(change: SessionChange) => void>()

const store = {
  read: (key: string): string | null => {
    try {
      return localStorage.getItem(key)
    } catch {
      return null
    }
  },
  write: (key: string, value: string | null) => {
    try {
      if (value === null) localStorage.removeItem(key)
      else localStorage.setItem(key, value)
    } catch {
      // Storage may be refused (private windows): the session then lasts as long as the page.
    }
  },
}

const announce = (change: SessionChange) => {
  for (const listener of listeners) listener(change)
}

export const accessToken = (): string | null => access
export const hasSession = (): boolean => access !== null || store.read(KEY) !== null

export function signedIn(tokens: Tokens): void {
  access = tokens.access_token
  store.write(KEY, tokens.refresh_token)
  store.write(SESSION, tokens.session_id)
  announce('in')
}

/** Forgets the session here and, through the storage event, in every other tab. */
export function signedOut(change: 'left' | 'ended'): void {
  const had = hasSession()
  access = null
  store.write(KEY, null)
  store.write(SESSION, null)
  if (had) announce(change)
}

export function onSessionChange(listener: (change: SessionChange) => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

if (typeof window !== 'undefined') {
  window.addEventListener('storage', (event) => {
    if (event.key === KEY && event.newValue === null && access !== null) signedOut('left')
    // Another tab entered another organization, or as somebody else: nothing on screen here is true any more.
    const replaced = event.key === SESSION && event.newValue !== null && event.oldValue !== null
    if (replaced && event.newValue !== event.oldValue) window.location.reload()
  })
}

/** Runs `work` in one tab at a time. Web Locks exist on https and localhost only, hence the lease for plain http. */
async function exclusively<T>(work: () => Promise<T>): Promise<T> {
  if (navigator.locks) return navigator.locks.request(LEASE, work)
  const mine = `${Date.now()}.${Math.random()}`
  for (;;) {
    const until = Number(store.read(LEASE)?.split('|')[1] ?? 0)
    if (until < Date.now()) {
      store.write(LEASE, `${mine}|${Date.now() + LEASE_MS}`)
      await new Promise((resolve) => setTimeout(resolve, 40))
      const holder = store.read(LEASE)
      if (holder === null || holder.startsWith(mine)) break
    }
    await new Promise((resolve) => setTimeout(resolve, 60 + Math.random() * 60))
  }
  try {
    return await work()
  } finally {
    store.write(LEASE, null)
  }
}

async function renew(): Promise<string | null> {
  return exclusively(async () => {
    const token = store.read(KEY)
    if (token === null) return null
    try {
      const { data } = await refreshCall({
        body: { refresh_token: token },
        fetch: globalThis.fetch,
        throwOnError: true,
      })
      access = data.access_token
      store.write(KEY, data.refresh_token)
      return access
    } catch (error) {
      const problem = error instanceof ApiProblem ? error : toProblem(error, undefined)
      // Only a refusal ends the session. A server that is away or busy says nothing about who we are.
      if (problem.status >= 400 && problem.status < 500 && problem.status !== 429) {
        signedOut('ended')
        return null
      }
      throw problem
    }
  })
}

/**
 * A fresh access token, or null when the session is over. Callers that arrive while one refresh is under way share it;
 * `stale` is the token that was refused, so that a caller who lost the race gets the new one without another refresh.
 */
export function freshToken(stale: string | null): Promise<string | null> {
  if (access !== null && access !== stale) return Promise.resolve(access)
  flight ??= renew().finally(() => {
    flight = null
  })
  return flight
}
