import { Button, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useLogout, useMay } from '@/features/auth'
import { Confirm, Note, Panel, Refused, RelativeTime } from '@/ui'
import type { Organization } from '../model'
import { useDeleteOrganization, useLeaveOrganization, useRestoreOrganization } from '../queries'
import css from './organizations.module.css'

/** Leave the organization; delete it, and take that back within the grace time. */
export function Ending({ organization }: { organization: Organization }) {
  const { t } = useTranslation()
  const mayOwn = useMay('organization:own')
  const [asked, setAsked] = useState<'leave' | 'delete' | null>(null)
  const [typed, setTyped] = useState('')
  const leave = useLeaveOrganization(organization.id)
  const remove = useDeleteOrganization(organization.id)
  const restore = useRestoreOrganization(organization.id)
  const logout = useLogout()
  const close = () => {
    setAsked(null)
    setTyped('')
  }

  if (organization.state === 'deleted') {
    return (
      <Panel title={t('ending.title')}>
        <div className={css.stack}>
          <Note tone="bad" title={t('ending.isDeleted')}>
            {organization.purge_after && (
              <>
                {t('ending.purge')} <RelativeTime iso={organization.purge_after} past={false} />
              </>
            )}
          </Note>
          {restore.isError && <Refused error={restore.error} />}
          {mayOwn && (
            <div>
              <Button loading={restore.isPending} onClick={() => restore.mutate()}>
                {t('ending.restore')}
              </Button>
            </div>
          )}
        </div>
      </Panel>
    )
  }
  return (
    <Panel title={t('ending.title')}>
      <div className={css.rows}>
        <p>{t('ending.leaveHint')}</p>
        <Button variant="default" onClick={() => setAsked('leave')}>
          {t('ending.leave')}
        </Button>
        {mayOwn && (
          <>
            <p>{t('ending.deleteHint')}</p>
            <Button variant="default" onClick={() => setAsked('delete')}>
              {t('ending.delete')}
            </Button>
          </>
        )}
      </div>
      {asked === 'leave' && (
        <Confirm
          title={t('ending.leaveTitle', { name: organization.name })}
          action={t('ending.leave')}
          pending={leave.isPending}
          error={leave.error}
          // The session was one of this organization: it is over.
          onConfirm={() => leave.mutate(undefined, { onSuccess: () => logout.mutate() })}
          onClose={close}
        >
          {t('ending.leaveWhat')}
        </Confirm>
      )}
      {asked === 'delete' && (
        <Confirm
          title={t('ending.deleteTitle', { name: organization.name })}
          action={t('ending.delete')}
          pending={remove.isPending}
          error={remove.error}
          disabled={typed !== organization.slug}
          onConfirm={() => remove.mutate(undefined, { onSuccess: close })}
          onClose={close}
        >
          <p style={{ marginTop: 0 }}>{t('ending.deleteWhat')}</p>
          <TextInput
            label={t('ending.typeSlug', { slug: organization.slug })}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            autoComplete="off"
          />
        </Confirm>
      )}
    </Panel>
  )
}
