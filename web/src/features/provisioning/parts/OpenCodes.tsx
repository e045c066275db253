import { ActionIcon, Tooltip } from '@mantine/core'
import { IconTrash } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { usePollWhenNotLive } from '@/lib/live'
import { Failed, Lines, Panel, Refused, RelativeTime } from '@/ui'
import { codeListQuery, useDeleteCode } from '../queries'
import css from './provisioning.module.css'

interface OpenCodesProps {
  openId: string | undefined
  onOpen: (codeId: string | undefined) => void
}

/** Codes that could still let a device in, each with a way to take it back. */
export function OpenCodes({ openId, onOpen }: OpenCodesProps) {
  const { t } = useTranslation()
  const poll = usePollWhenNotLive(10_000)
  const query = useQuery({ ...codeListQuery, refetchInterval: poll })
  const remove = useDeleteCode()
  const open = query.data?.filter((code) => code.status === 'unused') ?? []
  return (
    <Panel title={t('provisioning.openCodes')} flush>
      {query.isPending ? (
        <div style={{ padding: 16 }}>
          <Lines count={3} />
        </div>
      ) : !query.data ? (
        <Failed error={query.error} onRetry={() => void query.refetch()} />
      ) : open.length === 0 ? (
        <p className="quiet" style={{ margin: 0, padding: 16 }}>
          {t('provisioning.noCodes')}
        </p>
      ) : (
        <ul className={css.codes} aria-label={t('provisioning.openCodes')}>
          {open.map((code) => (
            <li key={code.id} aria-current={code.id === openId}>
              <span className={css.codeText}>
                <button type="button" className={css.codeOpen} onClick={() => onOpen(code.id)}>
                  {code.name || t('provisioning.unnamed')}
                </button>{' '}
                <span className="mono quiet">…{code.hint}</span>
              </span>
              <span className="quiet">
                <RelativeTime iso={code.expires_at} past={false} />
              </span>
              <Tooltip label={t('provisioning.revoke')}>
                <ActionIcon
                  aria-label={t('provisioning.revokeCode', { hint: code.hint })}
                  loading={remove.isPending && remove.variables === code.id}
                  onClick={() =>
                    remove.mutate(code.id, {
                      onSuccess: () => code.id === openId && onOpen(undefined),
                    })
                  }
                >
                  <IconTrash size={15} />
                </ActionIcon>
              </Tooltip>
            </li>
          ))}
        </ul>
      )}
      {remove.isError && (
        <div style={{ padding: 12 }}>
          <Refused error={remove.error} />
        </div>
      )}
    </Panel>
  )
}
