export { LogsPage } from './LogsPage'
export { LEVELS, type Level, type LogFilters } from './model'
