export { ShadowPage } from './ShadowPage'
