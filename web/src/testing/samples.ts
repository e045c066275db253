import type { CodeDocument, DeviceDocument, ProfileDocument, ShadowDocument } from '@/api/generated'

export const device = (change: Partial<DeviceDocument> = {}): DeviceDocument => ({
  device_id: 'dev_one',
  name: 'Oven 4',
  status: 'online',
  last_seen_at: '2026-11-24T06:00:00Z',
  connected_at: '2026-11-24T05:00:00Z',
  firmware_version: null,
  agent_version: '0.1.0',
  hardware: { board_model: 'Raspberry Pi 4' },
  network: { ip_address: '10.0.0.7' },
  tags: [],
  notes: '',
  project_id: null,
  version: 3,
  created_at: '2026-11-01T00:00:00Z',
  updated_at: '2026-11-24T05:00:00Z',
  ...change,
})

export const code = (change: Partial<CodeDocument> = {}): CodeDocument => ({
  id: 'prov_one',
  hint: 'C3D4',
  status: 'unused',
  name: 'Oven 4',
  tags: [],
  project_id: null,
  group_id: null,
  batch_id: null,
  expires_at: '2099-01-01T00:00:00Z',
  created_at: '2026-11-24T05:00:00Z',
  used_at: null,
  device_id: null,
  ...change,
})

export const shadow = (change: Partial<ShadowDocument> = {}): ShadowDocument => ({
  device_id: 'dev_one',
  version: 7,
  desired: { interval: 10, mode: 'auto' },
  reported: { interval: 30, mode: 'auto' },
  delta: { interval: 10 },
  metadata: { desired: {}, reported: {} },
  updated_at: '2026-11-24T05:00:00Z',
  ...change,
})

export const session = (n = 1) => ({
  access_token: `access-${n}`,
  refresh_token: `refresh-${n}`,
  session_id: 'ses_1',
  user: {
    id: 'usr_1',
    email: 'mara@example.com',
    first_name: 'Mara',
    last_name: 'L',
    email_verified: true,
    organization_id: 'org_1',
    role: 'owner',
  },
})

export const instance = (change: object = {}) => ({
  name: 'Werk Nord',
  version: '0.1.0',
  public_url: 'https://cloud.example.com',
  loopback_only: false,
  registration: 'closed',
  ...change,
})

/** What the signed-in person is and may; an owner, without a second factor. */
export const profile = (change: Partial<ProfileDocument> = {}): ProfileDocument => ({
  ...session().user,
  role: 'owner',
  permissions: PERMISSIONS,
  mfa_enabled: false,
  recovery_codes_left: null,
  locale: null,
  timezone: null,
  created_at: '2026-11-01T00:00:00Z',
  updated_at: '2026-11-01T00:00:00Z',
  ...change,
})

const PERMISSIONS = [
  'api_keys:manage',
  'api_keys:view',
  'audit:view',
  'billing:view',
  'devices:manage',
  'devices:view',
  'organization:manage',
  'organization:own',
  'organization:view',
  'projects:manage',
  'projects:view',
  'resources:delete',
  'users:manage',
  'users:view',
]
