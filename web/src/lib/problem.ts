/** What the server said when it refused, in one shape (RFC 9457 plus our `code`, `error` and `request_id`). */
export class ApiProblem extends Error {
  constructor(
    /** HTTP status; 0 when no answer arrived at all. */
    readonly status: number,
    readonly code: string,
    readonly title: string,
    readonly detail: string | undefined,
    readonly requestId: string | undefined,
    /** Field problems of a refused body, as the server lists them. */
    readonly fields: readonly FieldProblem[] = [],
  ) {
    super(detail ?? title)
    this.name = 'ApiProblem'
  }

  get unreachable(): boolean {
    return this.status === 0
  }
}

export interface FieldProblem {
  field: string
  message: string
}

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined

/** Reads the field list of a problem leniently: an unknown spelling must not hide the problem itself. */
function readFields(value: unknown): FieldProblem[] {
  if (!Array.isArray(value)) return []
  return value.flatMap((entry: unknown) => {
    if (typeof entry !== 'object' || entry === null) return []
    const record = entry as Record<string, unknown>
    const place = record.field ?? record.loc ?? record.path ?? record.pointer
    const message = text(record.message) ?? text(record.msg) ?? text(record.detail)
    if (!message) return []
    return [{ field: Array.isArray(place) ? place.join('.') : String(place ?? ''), message }]
  })
}

/** Turns whatever a call threw into an `ApiProblem`; a call without a response is status 0. */
export function toProblem(error: unknown, response: Response | undefined): ApiProblem {
  if (error instanceof ApiProblem) return error
  if (!response) return new ApiProblem(0, 'unreachable', 'Unreachable', undefined, undefined)
  const body = typeof error === 'object' && error !== null ? (error as Record<string, unknown>) : {}
  return new ApiProblem(
    response.status,
    text(body.code) ?? `http_${response.status}`,
    text(body.title) ?? (response.statusText || `HTTP ${response.status}`),
    text(body.detail) ?? text(body.error),
    text(body.request_id) ?? response.headers.get('X-Request-Id') ?? undefined,
    readFields(body.errors),
  )
}

export const isProblem = (error: unknown, code?: string): error is ApiProblem =>
  error instanceof ApiProblem && (code === undefined || error.code === code)
