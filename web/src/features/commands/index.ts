export { CommandsPage } from './CommandsPage'
export { COMMAND_STATES, type CommandFilters, isDay } from './model'
