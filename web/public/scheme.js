// Runs before the first paint, so that a dark console never flashes white. Same key as Mantine's colour scheme store.
;(() => {
  let scheme = 'auto'
  try {
    scheme = localStorage.getItem('edgeflow.scheme') || 'auto'
  } catch {
    // Storage may be refused; then the system decides.
  }
  if (scheme === 'auto') {
    scheme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
  }
  document.documentElement.setAttribute('data-mantine-color-scheme', scheme)
})()
