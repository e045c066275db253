export { ApiKeysPage } from './ApiKeysPage'
export { apiKeyListQuery } from './queries'
