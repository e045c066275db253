export { ExecutionsPage } from './ExecutionsPage'
export { EXECUTION_STATES, type ExecutionFilters, type ExecutionState } from './model'
