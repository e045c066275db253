import { Button } from '@mantine/core'
import { IconKey, IconPlus } from '@tabler/icons-react'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { ApiKeyDocument } from '@/api/generated'
import { MayNot, useMay } from '@/features/auth'
import { useProjectNames } from '@/features/projects'
import { usePollWhenNotLive } from '@/lib/live'
import { Blank, type Column, Confirm, More, Panel, Pill, Reading, RelativeTime, Table } from '@/ui'
import { CreateKey } from './parts/CreateKey'
import css from './parts/keys.module.css'
import { apiKeyListQuery, useRevokeApiKey } from './queries'

export function ApiKeysPage() {
  const { t } = useTranslation()
  const mayView = useMay('api_keys:view')
  if (mayView === false) return <MayNot permission="api_keys:view" toDo={t('apiKeys.mayNotView')} />
  return mayView && <Keys />
}

function Keys() {
  const { t } = useTranslation()
  const poll = usePollWhenNotLive(10_000)
  const keys = useInfiniteQuery({ ...apiKeyListQuery, refetchInterval: poll })
  const may = useMay('api_keys:manage') ?? false
  const [making, setMaking] = useState(false)
  const [asked, setAsked] = useState<ApiKeyDocument | null>(null)
  const projects = useProjectNames()
  const revoke = useRevokeApiKey()
  const columns: Column<ApiKeyDocument>[] = [
    {
      id: 'name',
      header: t('apiKeys.name'),
      cell: ({ name, prefix }) => (
        <span className={css.name}>
          <strong>{name}</strong>
          <span className="mono quiet">{prefix}…</span>
        </span>
      ),
    },
    {
      id: 'scopes',
      header: t('apiKeys.scopes'),
      cell: ({ scopes }) => (
        <span className={css.scopes}>
          {scopes.map((scope) => (
            <Pill key={scope}>
              <span className="mono">{scope}</span>
            </Pill>
          ))}
        </span>
      ),
    },
    {
      id: 'limits',
      header: t('apiKeys.limits'),
      cell: ({ networks, projects: only }) =>
        only?.length || networks.length ? (
          <span className={css.scopes}>
            {only?.map((id) => (
              <Pill key={id}>{projects.get(id) ?? id}</Pill>
            ))}
            {networks.map((network) => (
              <Pill key={network}>
                <span className="mono">{network}</span>
              </Pill>
            ))}
          </span>
        ) : null,
    },
    {
      id: 'used',
      header: t('apiKeys.lastUsed'),
      cell: ({ last_used_at }) =>
        last_used_at ? (
          <RelativeTime iso={last_used_at} />
        ) : (
          <span className="quiet">{t('apiKeys.neverUsed')}</span>
        ),
    },
    {
      id: 'ends',
      header: t('apiKeys.expires'),
      cell: ({ expires_at }) =>
        expires_at ? (
          <Ending iso={expires_at} />
        ) : (
          <span className="quiet">{t('apiKeys.lives.never')}</span>
        ),
    },
    {
      id: 'revoke',
      header: '',
      label: t('apiKeys.revoke'),
      end: true,
      cell: (key) =>
        may && (
          <Button
            size="compact-sm"
            variant="default"
            aria-label={t('apiKeys.revokeOf', { name: key.name })}
            onClick={() => setAsked(key)}
          >
            {t('apiKeys.revoke')}
          </Button>
        ),
    },
  ]
  return (
    <>
      <MayNot permission="api_keys:manage" toDo={t('apiKeys.mayNot')} />
      <Panel
        title={t('apiKeys.title')}
        flush
        actions={
          may && (
            <Button
              size="compact-md"
              leftSection={<IconPlus size={15} />}
              onClick={() => setMaking(true)}
            >
              {t('apiKeys.create')}
            </Button>
          )
        }
      >
        <Reading query={keys}>
          {({ items }) =>
            items.length === 0 ? (
              <Blank icon={<IconKey size={22} stroke={1.6} />} title={t('apiKeys.none')}>
                {t('apiKeys.noneHint')}
              </Blank>
            ) : (
              <Table
                label={t('apiKeys.title')}
                columns={columns}
                rows={items}
                rowKey={({ id }) => id}
              />
            )
          }
        </Reading>
        <More query={keys} />
      </Panel>
      {making && <CreateKey onClose={() => setMaking(false)} />}
      {asked && (
        <Confirm
          title={t('apiKeys.revokeTitle', { name: asked.name })}
          action={t('apiKeys.revoke')}
          pending={revoke.isPending}
          error={revoke.error}
          onConfirm={() => revoke.mutate(asked.id, { onSuccess: () => setAsked(null) })}
          onClose={() => setAsked(null)}
        >
          {t('apiKeys.revokeWhat')}
        </Confirm>
      )}
    </>
  )
}

function Ending({ iso }: { iso: string }) {
  const { t } = useTranslation()
  if (Date.parse(iso) > Date.now()) return <RelativeTime iso={iso} past={false} />
  return <Pill tone="bad">{t('apiKeys.expired')}</Pill>
}
