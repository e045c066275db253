import { fileURLToPath } from 'node:url'
import { tanstackRouter } from '@tanstack/router-plugin/vite'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'
import { initialSize } from './initial-size.ts'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const cloud = process.env.EDGEFLOW_CONSOLE_CLOUD ?? 'http://127.0.0.1:8000'

export default defineConfig({
  plugins: [
    tanstackRouter({
      target: 'react',
      autoCodeSplitting: true,
      routesDirectory: 'src/routes',
      generatedRouteTree: 'src/app/route-tree.gen.ts',
      quoteStyle: 'single',
      semicolons: false,
    }),
    react(),
    initialSize('console', 300_000),
  ],
  resolve: { alias: { '@': here('./src') } },
  build: {
    outDir: '../cloud/edgeflow_cloud/app/console',
    emptyOutDir: true,
    target: 'es2022',
    // The cloud sends `default-src 'self'`: a font or an image inlined as a data: URI would be refused.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // Swagger UI, on its own page, is one file of 1.7 MB.
    chunkSizeWarningLimit: 1_800,
    rolldownOptions: { input: { console: here('./index.html'), docs: here('./docs.html') } },
  },
  server: {
    host: '127.0.0.1',
    proxy: {
      '/api': { target: cloud, changeOrigin: false, ws: true },
      '/live': { target: cloud, ws: true },
    },
  },
  test: {
    environment: 'jsdom',
    setupFiles: ['src/testing/setup.ts'],
    css: false,
    restoreMocks: true,
    testTimeout: 30_000,
  },
})
