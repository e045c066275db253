import { ActionIcon, Button, SegmentedControl } from '@mantine/core'
import { IconPlus, IconTicket, IconTrash } from '@tabler/icons-react'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { CodeStatus } from '@/api/generated'
import { MayNot, useMay } from '@/features/auth'
import { usePollWhenNotLive } from '@/lib/live'
import {
  Blank,
  type Column,
  crumbClass,
  More,
  PageHead,
  Panel,
  Pill,
  Reading,
  Refused,
  RelativeTime,
  Table,
} from '@/ui'
import type { ProvisioningCode } from './model'
import { Batch } from './parts/Batch'
import { BulkCodes } from './parts/BulkCodes'
import { codePagesQuery, type MadeCode, useDeleteCode } from './queries'

interface CodesPageProps {
  status: CodeStatus | undefined
  onStatus: (status: CodeStatus | undefined) => void
}

const TONES = { unused: 'wait', used: 'good', expired: 'plain' } as const

/** Every code there is, what became of it, and many new ones at once. */
export function CodesPage({ status, onStatus }: CodesPageProps) {
  const { t } = useTranslation()
  const may = useMay('devices:manage')
  const poll = usePollWhenNotLive(10_000)
  const codes = useInfiniteQuery({ ...codePagesQuery(status), refetchInterval: poll })
  const remove = useDeleteCode()
  const [making, setMaking] = useState(false)
  const [made, setMade] = useState<MadeCode[] | null>(null)
  const columns: Column<ProvisioningCode>[] = [
    {
      id: 'code',
      header: t('codes.code'),
      cell: ({ hint }) => <span className="mono">…{hint}</span>,
    },
    { id: 'name', header: t('devices.name'), cell: ({ name }) => name || null },
    {
      id: 'status',
      header: t('codes.state'),
      cell: (code) => <Pill tone={TONES[code.status]}>{t(`codes.states.${code.status}`)}</Pill>,
    },
    {
      id: 'tags',
      header: t('devices.tags'),
      cell: ({ tags }) => (tags.length > 0 ? tags.join(', ') : null),
    },
    {
      id: 'made',
      header: t('projects.made'),
      cell: ({ created_at }) => <RelativeTime iso={created_at} />,
    },
    {
      id: 'end',
      header: t('codes.end'),
      cell: (code) =>
        code.status === 'used' && code.device_id ? (
          <Link to="/devices/$deviceId" params={{ deviceId: code.device_id }}>
            {t('provisioning.open')}
          </Link>
        ) : (
          <RelativeTime iso={code.expires_at} past={false} />
        ),
    },
    {
      id: 'actions',
      header: '',
      label: t('projects.actions'),
      end: true,
      cell: (code) =>
        may &&
        code.status === 'unused' && (
          <ActionIcon
            aria-label={t('provisioning.revokeCode', { hint: code.hint })}
            loading={remove.isPending && remove.variables === code.id}
            onClick={() => remove.mutate(code.id)}
          >
            <IconTrash size={15} />
          </ActionIcon>
        ),
    },
  ]
  return (
    <>
      <PageHead
        title={t('codes.title')}
        lead={t('codes.lead')}
        crumb={
          <Link to="/devices" className={crumbClass}>
            {t('devices.title')}
          </Link>
        }
        actions={
          may && (
            <Button leftSection={<IconPlus size={16} />} onClick={() => setMaking(true)}>
              {t('codes.make')}
            </Button>
          )
        }
      />
      <MayNot permission="devices:manage" toDo={t('provisioning.mayNot')} />
      {made && <Batch codes={made} onDone={() => setMade(null)} />}
      {remove.isError && <Refused error={remove.error} />}
      <Panel
        title={t('codes.all')}
        flush
        actions={
          <SegmentedControl
            size="xs"
            aria-label={t('codes.state')}
            value={status ?? 'all'}
            onChange={(value) => onStatus(value === 'all' ? undefined : (value as CodeStatus))}
            data={[
              { value: 'all', label: t('devices.all') },
              ...(['unused', 'used', 'expired'] as const).map((value) => ({
                value,
                label: t(`codes.states.${value}`),
              })),
            ]}
          />
        }
      >
        <Reading query={codes}>
          {({ items }) =>
            items.length === 0 ? (
              <Blank icon={<IconTicket size={22} stroke={1.6} />} title={t('codes.none')}>
                {t('codes.noneHint')}
              </Blank>
            ) : (
              <Table
                label={t('codes.title')}
                columns={columns}
                rows={items}
                rowKey={({ id }) => id}
              />
            )
          }
        </Reading>
        <More query={codes} />
      </Panel>
      {making && (
        <BulkCodes
          onClose={() => setMaking(false)}
          onMade={(batch) => {
            setMade(batch)
            setMaking(false)
          }}
        />
      )}
    </>
  )
}
