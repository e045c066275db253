export { isQuery, type QueryField, quoted } from './completion'
export { QueryInput } from './QueryInput'
