/**
 * The code of a label that was scanned, on its way through the login. It stays in this tab and out of addresses: a
 * code in one would be in the server's log, in bookmarks and on screenshots.
 */
const KEY = 'edgeflow.claim'

export function keepClaimCode(code: string): void {
  try {
    sessionStorage.setItem(KEY, code)
  } catch {
    // Storage may be refused: the code is then typed by hand.
  }
}

export function keptClaimCode(): string {
  try {
    return sessionStorage.getItem(KEY) ?? ''
  } catch {
    return ''
  }
}

export function forgetClaimCode(): void {
  try {
    sessionStorage.removeItem(KEY)
  } catch {
    // Nothing was kept then.
  }
}

/** The code of a label's address, `/claim#PROV-…`. */
export function codeOfHash(hash: string): string {
  try {
    return decodeURIComponent(hash.replace(/^#/, '')).trim().slice(0, 100)
  } catch {
    return ''
  }
}
