/** Subsystems with the verbs that a key can be given there: `{subsystem}:{verb}` is a scope. */
export const SCOPES = {
  devices: ['read', 'manage'],
  flows: ['read', 'manage'],
  projects: ['read', 'manage'],
  users: ['read', 'manage'],
  organization: ['read', 'manage'],
  resources: ['manage'],
  billing: ['read'],
  audit: ['read'],
} as const satisfies Record<string, readonly Verb[]>

export type Verb = 'read' | 'manage'
export type Subsystem = keyof typeof SCOPES
export const SUBSYSTEMS = Object.keys(SCOPES) as Subsystem[]

/** What was chosen for each subsystem; nothing for those that are missing. */
export type Choice = Partial<Record<Subsystem, Verb>>

export const scopesOf = (choice: Choice): string[] =>
  SUBSYSTEMS.flatMap((subsystem) => {
    const verb = choice[subsystem]
    return verb ? [`${subsystem}:${verb}`] : []
  })

const DAY = 86_400
/** Seconds until a key ends by itself; null: never. */
export const LIVES = { month: 30 * DAY, quarter: 90 * DAY, year: 365 * DAY, never: null } as const
export type Life = keyof typeof LIVES
