export { HistoryPage } from './HistoryPage'
export type { Comparison } from './model'
export { ShadowPage } from './ShadowPage'
