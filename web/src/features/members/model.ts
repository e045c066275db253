import type { InvitationDocument, MemberDocument } from '@/api/generated'

export type Member = MemberDocument
export type Invitation = InvitationDocument
export type Role = Member['role']

export const ROLES: readonly Role[] = ['owner', 'admin', 'member', 'viewer']

/** What a member or a viewer may be given beside the role; an owner and an admin have all of it. */
export const EXTRAS = [
  'users:manage',
  'devices:manage',
  'flows:manage',
  'resources:delete',
] as const
export type Extra = (typeof EXTRAS)[number]

const HAS: Record<Role, readonly Extra[]> = {
  owner: EXTRAS,
  admin: EXTRAS,
  member: ['devices:manage', 'flows:manage'],
  viewer: [],
}

/** The extra permissions that the role does not bring by itself. */
export const extrasFor = (role: Role): Extra[] => EXTRAS.filter((each) => !HAS[role].includes(each))

/** i18next reads a colon as the end of a namespace. */
export const wordOf = (extra: Extra) =>
  `members.extra.${extra.replace(':', '_') as 'users_manage'}` as const

export const nameOf = ({ first_name, last_name, email }: Member): string =>
  [first_name, last_name].filter(Boolean).join(' ') || email

export const LIFETIMES = { day: 86_400, week: 604_800, month: 2_592_000 } as const
export type Lifetime = keyof typeof LIFETIMES
