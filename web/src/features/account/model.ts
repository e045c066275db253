const BROWSERS: [name: string, sign: RegExp][] = [
  ['Edge', /\bEdg\w*\//],
  ['Opera', /\bOPR\//],
  ['Firefox', /\b(Firefox|FxiOS)\//],
  ['Chrome', /\b(Chrome|CriOS|HeadlessChrome)\//],
  ['Safari', /\bSafari\//],
]
const SYSTEMS: [name: string, sign: RegExp][] = [
  ['iPhone', /iPhone/],
  ['iPad', /iPad/],
  ['Android', /Android/],
  ['Windows', /Windows/],
  ['macOS', /Mac OS X|Macintosh/],
  ['ChromeOS', /CrOS/],
  ['Linux', /Linux/],
]

/** "Firefox, Linux" from a user agent; the first word of one that is no browser's; empty when there is none. */
export function programOf(userAgent: string | null): string {
  if (!userAgent) return ''
  const find = (list: [string, RegExp][]) => list.find(([, sign]) => sign.test(userAgent))?.[0]
  const browser = find(BROWSERS)
  if (!browser) return userAgent.split(/[\s/]/)[0] ?? ''
  return [browser, find(SYSTEMS)].filter(Boolean).join(', ')
}
