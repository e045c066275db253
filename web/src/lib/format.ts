const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

export function bytes(value: number, locale?: string): string {
  let unit = 0
  let rest = value
  while (rest >= 1024 && unit < UNITS.length - 1) {
    rest /= 1024
    unit += 1
  }
  const digits = rest < 10 && unit > 0 ? 1 : 0
  const shown = rest.toLocaleString(locale, { maximumFractionDigits: digits })
  return `${shown} ${UNITS[unit]}`
}

export const percent = (value: number, locale?: string, digits = 1): string =>
  `${value.toLocaleString(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits })} %`

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
]

/** "3 minutes ago", "in 23 hours"; under five seconds it is "now". */
export function relative(iso: string, now: number, locale?: string): string {
  const seconds = (Date.parse(iso) - now) / 1000
  const format = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' })
  if (Math.abs(seconds) < 5) return format.format(0, 'second')
  for (const [unit, size] of STEPS) {
    if (Math.abs(seconds) >= size) {
      // What is past has been so for that long at least; what is to come is told to the nearest.
      const count = seconds < 0 ? Math.trunc(seconds / size) : Math.round(seconds / size)
      return format.format(count, unit)
    }
  }
  return format.format(0, 'second')
}

/** The exact time in the reader's zone, the zone named. */
export const exact = (iso: string, locale?: string): string =>
  new Date(iso).toLocaleString(locale, {
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'short',
  })

/** How long something short took: "39 ms", "1.4 s", "2 min". */
export function took(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`
  return seconds < 60 ? `${seconds.toFixed(1)} s` : duration(seconds)
}

/** A length of time in its two largest units: "2 h 5 min", "3 d 4 h". */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  if (whole < 60) return `${whole} s`
  const minutes = Math.floor(whole / 60)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`
  const days = Math.floor(hours / 24)
  return hours % 24 ? `${days} d ${hours % 24} h` : `${days} d`
}
