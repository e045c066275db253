export { MetricsPanel } from './MetricsPanel'
export { isRange, type Range } from './model'
