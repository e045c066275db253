import { Link } from '@tanstack/react-router'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { Dot, Pill, RelativeTime } from '@/ui'
import { type Device, fact, platform, presenceTone } from '../model'
import css from './devices.module.css'

export const COLUMN_IDS = [
  'name',
  'board',
  'address',
  'agent',
  'firmware',
  'group',
  'project',
  'place',
  'tags',
  'notes',
  'added',
  'seen',
] as const
export type ColumnId = (typeof COLUMN_IDS)[number]

const USUAL: readonly ColumnId[] = ['name', 'board', 'address', 'agent', 'firmware', 'seen']
const isColumnId = (id: string): id is ColumnId => COLUMN_IDS.includes(id as ColumnId)

/** The columns that an address names; the name is always the first. */
export function columnsOf(text: string | undefined): readonly ColumnId[] {
  if (text === undefined) return USUAL
  const wanted = text.split(',').filter(isColumnId)
  return ['name', ...COLUMN_IDS.filter((id) => id !== 'name' && wanted.includes(id))]
}

/** How an address names them; the usual ones need no word. */
export function columnsText(ids: readonly ColumnId[]): string | undefined {
  const beside = ids.filter((id) => id !== 'name')
  const usual = USUAL.filter((id) => id !== 'name')
  return beside.join() === usual.join() ? undefined : beside.join()
}

export interface DeviceColumn {
  id: ColumnId
  header: string
  /** Its share of the width. */
  share: number
  /** What the list is sorted by. */
  sort?: string
  cell: (device: Device) => React.ReactNode
}

/** Every column there is, by its id. `projects` names them by id. */
export function useDeviceColumns(projects: ReadonlyMap<string, string>) {
  const { t } = useTranslation()
  return useMemo((): Record<ColumnId, DeviceColumn> => {
    const column = (
      id: ColumnId,
      header: string,
      share: number,
      cell: DeviceColumn['cell'],
      sort?: string,
    ): DeviceColumn => ({ id, header, share, cell, ...(sort ? { sort } : {}) })
    const mono = (text: React.ReactNode) => <span className="mono">{text}</span>
    return {
      name: column(
        'name',
        t('devices.name'),
        2.6,
        (device) => <NameCell device={device} />,
        'name',
      ),
      board: column('board', t('devices.board'), 1.8, platform),
      address: column('address', t('devices.address'), 1.2, (device) =>
        mono(fact(device.network, 'ip_address')),
      ),
      agent: column('agent', t('devices.agent'), 0.8, (device) => mono(device.agent_version)),
      firmware: column(
        'firmware',
        t('devices.firmware'),
        0.8,
        (device) => mono(device.firmware_version),
        'firmware',
      ),
      group: column('group', t('devices.groups'), 1.3, (device) => device.groups?.join(', ')),
      project: column('project', t('devices.project'), 1.1, (device) =>
        device.project_id ? projects.get(device.project_id) : null,
      ),
      place: column('place', t('devices.place'), 1.1, (device) => device.place?.name),
      tags: column('tags', t('devices.tags'), 1.4, (device) => device.tags.join(', ')),
      notes: column('notes', t('devices.notes'), 1.6, (device) => device.notes),
      added: column(
        'added',
        t('devices.added'),
        1,
        (device) => <RelativeTime iso={device.created_at} />,
        'created',
      ),
      seen: column(
        'seen',
        t('devices.lastSeen'),
        1.2,
        (device) => <Seen device={device} />,
        'last_seen',
      ),
    }
  }, [t, projects])
}

const TAGS_SHOWN = 2

function NameCell({ device }: { device: Device }) {
  const { t } = useTranslation()
  const rest = device.tags.length - TAGS_SHOWN
  return (
    <>
      <Dot
        tone={presenceTone(device)}
        label={t(device.status === 'online' ? 'devices.online' : 'devices.offline')}
      />
      <Link className={css.name} to="/devices/$deviceId" params={{ deviceId: device.device_id }}>
        {device.name || device.device_id}
      </Link>
      <span className={css.tags}>
        {device.tags.slice(0, TAGS_SHOWN).map((tag) => (
          <Pill key={tag}>{tag}</Pill>
        ))}
        {rest > 0 && <span className="quiet">+{rest}</span>}
      </span>
    </>
  )
}

function Seen({ device }: { device: Device }) {
  const { t } = useTranslation()
  if (device.status === 'online')
    return <span className={css.now}>{t('devices.connectedNow')}</span>
  if (!device.last_seen_at) return <span className="quiet">{t('devices.never')}</span>
  return <RelativeTime iso={device.last_seen_at} />
}
