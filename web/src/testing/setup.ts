import '@testing-library/jest-dom/vitest'
import { cleanup, configure } from '@testing-library/react'
import { afterAll, afterEach, beforeAll, vi } from 'vitest'
import { configureApi } from '@/api/client'
import { startI18n } from '@/app/i18n'
import { server } from './server'

// Pages arrive in parts, on machines that do other things too.
configure({ asyncUtilTimeout: 6_000 })
process.env.DEBUG_PRINT_LIMIT = '4000'

beforeAll(async () => {
  server.listen({ onUnhandledFrame: 'error' })
  configureApi()
  await startI18n()
})
afterEach(() => {
  cleanup()
  server.resetHandlers()
  localStorage.clear()
})
afterAll(() => server.close())

// What Mantine asks of a browser and jsdom does not have.
vi.stubGlobal('matchMedia', (query: string) => ({
  matches: false,
  media: query,
  addEventListener: () => undefined,
  removeEventListener: () => undefined,
  addListener: () => undefined,
  removeListener: () => undefined,
}))
vi.stubGlobal(
  'ResizeObserver',
  class {
    observe() {}
    unobserve() {}
    disconnect() {}
  },
)
Element.prototype.scrollIntoView = () => undefined
window.scrollTo = () => undefined
