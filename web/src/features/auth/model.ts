/** Where to go after signing in: a path of this console, never another site. */
export function safeNext(next: unknown): string {
  return typeof next === 'string' && /^\/(?![/\\])/.test(next) ? next : '/'
}

/** Why the login is shown, where the reader did not come by himself. */
export type LoginReason = 'expired'
export const isReason = (value: unknown): value is LoginReason => value === 'expired'

/** The token of a mail's link, from the part of the address that no server sees: `#token=…`. */
export const tokenOf = (hash: string): string | null =>
  new URLSearchParams(hash.replace(/^#/, '')).get('token') || null
