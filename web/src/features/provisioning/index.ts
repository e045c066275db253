export { AddDevicePage } from './AddDevicePage'
export { ClaimPage } from './ClaimPage'
export { CodesPage } from './CodesPage'
export { ScannedPage } from './ScannedPage'
