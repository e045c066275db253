export { CommandsPage } from './CommandsPage'
