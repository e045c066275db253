/** Something of the fleet that a person may want to look after: what is asked, in the query language. */
export const WORRIES = [
  { id: 'lost', q: 'status = offline and last_seen < 1d', tone: 'bad' },
  { id: 'silent', q: 'status = offline and last_seen > 1d', tone: 'wait' },
  { id: 'disk', q: 'status = online and disk > 90', tone: 'bad' },
  { id: 'memory', q: 'status = online and memory > 95', tone: 'bad' },
  { id: 'hot', q: 'status = online and temperature > 80', tone: 'bad' },
  { id: 'waiting', q: 'commands.waiting > 0', tone: 'wait' },
] as const

export const ADDED = 'created < 1d'

/** From here on a quota is worth a word. */
export const NEAR = 0.8
const SOON_MS = 14 * 86_400_000

/** How many keys end within two weeks. */
export const endingSoon = (keys: readonly { expires_at?: string | null }[], now: number): number =>
  keys.filter(({ expires_at }) => {
    const left = expires_at ? Date.parse(expires_at) - now : Number.POSITIVE_INFINITY
    return left > 0 && left < SOON_MS
  }).length

/** The day of `now` in the reader's zone, as the audit log's filter has it: `2026-11-24`. */
export function dayOf(now: Date): string {
  const two = (value: number) => String(value).padStart(2, '0')
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`
}
