import { HttpResponse, http } from 'msw'
import { setupServer } from 'msw/node'

/** The wire of a test: each test says what the API answers, and a call nobody expected fails it. */
export const server = setupServer()

export const api = (path: string) => `*/api/v1${path}`

/** A refusal as the cloud writes it. */
export const problem = (status: number, code: string, detail: string) =>
  HttpResponse.json(
    { type: 'about:blank', title: code, status, detail, code, error: detail, request_id: 'req_1' },
    { status, headers: { 'Content-Type': 'application/problem+json' } },
  )

export { HttpResponse, http }
