import '@mantine/core/styles.css'
import '@mantine/notifications/styles.css'
import '@/ui/fonts.css'
import '@/ui/tokens.css'
import '@/ui/mantine.css'
import { localStorageColorSchemeManager, MantineProvider } from '@mantine/core'
import { Notifications } from '@mantine/notifications'
import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { configureApi } from '@/api/client'
import { theme } from '@/ui/theme'
import { startI18n } from './i18n'
import { createQueryClient } from './query-client'
import { createAppRouter } from './router'
import { reloadWhenReplaced } from './stale-build'

reloadWhenReplaced()
configureApi()
const queryClient = createQueryClient()
const router = createAppRouter(queryClient)
const schemes = localStorageColorSchemeManager({ key: 'edgeflow.scheme' })

const root = document.getElementById('root')
if (!root) throw new Error('index.html has no #root')
startI18n().then(() =>
  createRoot(root).render(
    <StrictMode>
      <MantineProvider theme={theme} colorSchemeManager={schemes} defaultColorScheme="auto">
        <QueryClientProvider client={queryClient}>
          <RouterProvider router={router} />
        </QueryClientProvider>
        <Notifications position="bottom-right" />
      </MantineProvider>
    </StrictMode>,
  ),
)
