export { GeneralPage } from './GeneralPage'
export { requiresMfa } from './model'
export { OrganizationLayout } from './OrganizationLayout'
export {
  organizationQuery,
  ownOrganizationsQuery,
  usageQuery,
  useOrganizationId,
  useUpdateOrganization,
} from './queries'
export { UsagePage } from './UsagePage'
