export { ApiKeysPage } from './ApiKeysPage'
