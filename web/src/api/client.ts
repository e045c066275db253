import { toProblem } from '@/lib/problem'
import { accessToken, freshToken, hasSession } from '@/lib/session'
import { client } from './generated/client.gen'

/** Sends with the access token; on 401 renews it once and sends again. The only place that knows about tokens. */
async function authorizedFetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const request = new Request(input, init)
  const again = request.clone()
  const sent = accessToken() ?? (hasSession() ? await freshToken(null) : null)
  if (sent) request.headers.set('Authorization', `Bearer ${sent}`)
  const response = await fetch(request)
  if (response.status !== 401 || !sent) return response
  const fresh = await freshToken(sent)
  if (!fresh) return response
  again.headers.set('Authorization', `Bearer ${fresh}`)
  return fetch(again)
}

/** Wires the generated client: same origin, our fetch, and every failure as an `ApiProblem`. */
export function configureApi(): void {
  client.setConfig({ baseUrl: window.location.origin, throwOnError: true, fetch: authorizedFetch })
  client.interceptors.error.use((error, response) => toProblem(error, response))
}

/** A value for `Idempotency-Key`: a retried POST is the same request. (`randomUUID` needs https, this does not.) */
export function idempotencyKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
