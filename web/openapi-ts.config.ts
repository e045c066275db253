import { defineConfig } from '@hey-api/openapi-ts'

// The output is committed: a change of the API shows in the diff of the console.
export default defineConfig({
  input: '../cloud/openapi.json',
  output: {
    path: 'src/api/generated',
    // The runtime's comments link to a registry; the name is enough.
    postProcess: [
      {
        command: 'sed',
        args: [
          '-i.bak',
          '-E',
          's/\\{@link https?:[^ ]*npm[^ ]* (`[^`]*`)\\}/\\1/',
          '{{path}}/client/types.gen.ts',
        ],
      },
      { command: 'rm', args: ['{{path}}/client/types.gen.ts.bak'] },
    ],
  },
  plugins: [
    { name: '@hey-api/client-fetch', throwOnError: true },
    '@hey-api/typescript',
    '@hey-api/sdk',
  ],
})
