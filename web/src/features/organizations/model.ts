import type { OrganizationDocument } from '@/api/generated'

/** An organization with its ETag: what was on screen is what a change is made on. */
export interface Organization extends OrganizationDocument {
  etag: string | null
}

/** A text of the settings, empty when it is not set. */
export function setting(organization: OrganizationDocument, name: string): string {
  const value = organization.settings[name]
  return typeof value === 'string' ? value : ''
}

export const requiresMfa = ({ settings }: OrganizationDocument): boolean =>
  settings.require_mfa === true
