export { DeviceLayout } from './DeviceLayout'
export { DeviceOverview } from './DeviceOverview'
export { DevicesPage } from './DevicesPage'
export { ExplainPage } from './ExplainPage'
export { ImportPage } from './ImportPage'
export {
  type Device,
  type DeviceFilters,
  type DeviceView,
  isNew,
  presenceTone,
} from './model'
export { columnsOf, useDeviceColumns } from './parts/columns'
export { DeviceTable } from './parts/DeviceTable'
export { Presence } from './parts/Presence'
export { SelectionBar } from './parts/SelectionBar'
export { useChecked } from './parts/useChecked'
export {
  awayQuery,
  deviceCountQuery,
  deviceQuery,
  deviceSearchQuery,
  forgetDevices,
  queryFieldsQuery,
} from './queries'
export { isEmpty, NOTHING, pickedCount, type Selection, targetOf } from './selection'
