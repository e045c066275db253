import { defineConfig } from '@hey-api/openapi-ts'

// The output is committed: a change of the API shows in the diff of the console.
export default defineConfig({
  input: '../cloud/openapi.json',
  output: { path: 'src/api/generated' },
  plugins: [
    { name: '@hey-api/client-fetch', throwOnError: true },
    '@hey-api/typescript',
    '@hey-api/sdk',
  ],
})
