export { AddDevicePage } from './AddDevicePage'
export { CodesPage } from './CodesPage'
