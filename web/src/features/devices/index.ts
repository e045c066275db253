export { DeviceLayout } from './DeviceLayout'
export { DeviceOverview } from './DeviceOverview'
export { DevicesPage } from './DevicesPage'
export {
  type Device,
  type DeviceFilters,
  type DeviceView,
  isNew,
  presenceTone,
} from './model'
export { Presence } from './parts/Presence'
export { deviceQuery, deviceSearchQuery } from './queries'
