const KEY = 'edgeflow.reloaded'
const ONCE_MS = 30_000

/**
 * After an upgrade of the cloud an open page asks for files of the build it came from, which are gone. Loads the new
 * page then; once, so that a file that is really missing does not reload for ever.
 */
export function reloadWhenReplaced(): void {
  window.addEventListener('vite:preloadError', (event) => {
    const last = Number(sessionStorage.getItem(KEY) ?? 0)
    if (Date.now() - last < ONCE_MS) return
    sessionStorage.setItem(KEY, String(Date.now()))
    event.preventDefault()
    window.location.reload()
  })
}
