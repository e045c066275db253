export { MetricsPage } from './MetricsPage'
export { MetricsPanel } from './MetricsPanel'
export { AGGREGATES, type Aggregate, isRange, type MetricsView, type Range } from './model'
