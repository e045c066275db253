import type {
  InstanceDocument as Instance,
  CodeDocument as ProvisioningCode,
} from '@/api/generated'

export type { ProvisioningCode }

export interface CodeRequest {
  name: string
  tags: string[]
  /** Seconds. */
  expiresIn: number
}

export const LIFETIMES = { hour: 3_600, day: 86_400, week: 604_800 } as const
export type Lifetime = keyof typeof LIFETIMES

export interface CloudAddress {
  /** `host:port`, the only form a device knows. */
  authority: string
  tls: boolean
}

/** The address devices are told, from the public URL; null when that cannot be read as one. */
export function cloudAddress(publicUrl: string): CloudAddress | null {
  try {
    const url = new URL(publicUrl)
    const tls = url.protocol === 'https:'
    return { authority: `${url.hostname}:${url.port || (tls ? '443' : '80')}`, tls }
  } catch {
    return null
  }
}

/** The one line to paste on the board: enough to find the cloud and to be let in. */
export function agentLine(instance: Pick<Instance, 'public_url'>, code: string): string {
  const address = cloudAddress(instance.public_url)
  return [
    'EDGEFLOW_SAAS_ENABLED=true',
    `EDGEFLOW_SAAS_URL=${address?.authority ?? instance.public_url}`,
    `EDGEFLOW_SAAS_TLS=${address?.tls ?? true}`,
    `EDGEFLOW_PROVISIONING_CODE=${code}`,
    'edgeflow-agent run',
  ].join(' ')
}

/** A field of a CSV. A spreadsheet takes `=` and its like at the start of one for a formula: such a field is text. */
const field = (value: string): string => {
  const plain = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\n\r]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain
}

interface Row {
  code: string
  name?: string | null
  tags: readonly string[]
  expires_at: string
  claim_url: string
}

/** Codes as a table for a label printer or a spreadsheet. */
export function codesCsv(codes: readonly Row[]): string {
  const lines = codes.map(({ code, name, tags, expires_at, claim_url }) =>
    [code, name ?? '', tags.join(';'), expires_at, claim_url].map(field).join(','),
  )
  return ['code,name,tags,expires_at,claim_url', ...lines, ''].join('\r\n')
}

/** The last four characters by which a code is known later, read as the server reads what people type. */
export const hintOf = (code: string): string =>
  code
    .toUpperCase()
    .replace(/[^0-9A-Z]/g, '')
    .replace(/[IL]/g, '1')
    .replaceAll('O', '0')
    .slice(-4)
