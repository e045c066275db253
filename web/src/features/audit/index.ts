export { AuditPage } from './AuditPage'
export { type AuditFilters, filtersOf } from './model'
export { auditQuery } from './queries'
