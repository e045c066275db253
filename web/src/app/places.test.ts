import { QueryClient } from '@tanstack/react-query'
import { expect, it } from 'vitest'
import { PLACES } from './places'
import { createAppRouter } from './router'

/** Needs something picked before: the devices that are compared. */
const LED_TO = ['/devices/compare']

it('leads to every page that has an address of its own', () => {
  const { routesById } = createAppRouter(new QueryClient())
  const pages = Object.entries(routesById)
    .filter(([id, route]) => id.startsWith('/_app/') && !route.children)
    .map(([, route]) => (route.fullPath === '/' ? '/' : route.fullPath.replace(/\/$/, '')))
    .filter((path) => !path.includes('$') && !LED_TO.includes(path))
  expect(pages.length).toBeGreaterThan(10)
  expect(PLACES.map(({ to }) => to as string).sort()).toEqual(pages.sort())
})
