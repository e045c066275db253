import {
  type Icon,
  IconBuilding,
  IconChartBar,
  IconClipboardCheck,
  IconCpu,
  IconDevices,
  IconFileImport,
  IconFolder,
  IconKey,
  IconLayoutDashboard,
  IconLock,
  IconPlus,
  IconQrcode,
  IconShieldCheck,
  IconStack2,
  IconTicket,
  IconUser,
  IconUsers,
} from '@tabler/icons-react'
import type { ParseKeys } from 'i18next'

interface Place {
  to: string
  icon: Icon
  /** The page's name, and what it belongs to where the name alone would not say. */
  label: ParseKeys
  of?: ParseKeys
}

/** Every page of its own behind the login, for the command palette; a test holds it to the routes. */
export const PLACES = [
  { to: '/', icon: IconLayoutDashboard, label: 'overview.title' },
  { to: '/devices', icon: IconCpu, label: 'devices.title' },
  { to: '/devices/add', icon: IconPlus, label: 'devices.add' },
  { to: '/devices/claim', icon: IconQrcode, label: 'claim.title' },
  { to: '/devices/codes', icon: IconTicket, label: 'codes.title' },
  { to: '/devices/import', icon: IconFileImport, label: 'import.title' },
  { to: '/groups', icon: IconStack2, label: 'groups.title' },
  { to: '/organization', icon: IconBuilding, label: 'organization.title' },
  { to: '/organization/members', icon: IconUsers, label: 'members.title' },
  {
    to: '/organization/security',
    icon: IconShieldCheck,
    label: 'organization.security',
    of: 'organization.title',
  },
  { to: '/organization/projects', icon: IconFolder, label: 'projects.title' },
  { to: '/organization/api-keys', icon: IconKey, label: 'apiKeys.title' },
  { to: '/organization/usage', icon: IconChartBar, label: 'usage.title' },
  { to: '/organization/audit', icon: IconClipboardCheck, label: 'audit.title' },
  { to: '/account', icon: IconUser, label: 'account.title' },
  { to: '/account/security', icon: IconLock, label: 'account.security', of: 'account.title' },
  { to: '/account/sessions', icon: IconDevices, label: 'account.sessions', of: 'account.title' },
] as const satisfies readonly Place[]
