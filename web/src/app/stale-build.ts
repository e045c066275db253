const KEY = 'edgeflow.reloaded'
const ONCE_MS = 30_000

/** Whether the server now serves another build than the one this page came from; false while it does not answer. */
async function isReplaced(): Promise<boolean> {
  const entry = document.querySelector<HTMLScriptElement>('script[type="module"][src]')
  try {
    const page = await fetch('/', { cache: 'no-store' })
    return (
      page.ok && entry !== null && !(await page.text()).includes(entry.getAttribute('src') ?? '')
    )
  } catch {
    return false
  }
}

/**
 * After an upgrade of the cloud an open page asks for files of the build it came from, which are gone. Loads the new
 * page then; once, so that a file that is really missing does not reload for ever.
 */
export function reloadWhenReplaced(): void {
  window.addEventListener('vite:preloadError', () => {
    const last = Number(sessionStorage.getItem(KEY) ?? 0)
    if (Date.now() - last < ONCE_MS) return
    void isReplaced().then((replaced) => {
      if (!replaced) return
      sessionStorage.setItem(KEY, String(Date.now()))
      window.location.reload()
    })
  })
}
