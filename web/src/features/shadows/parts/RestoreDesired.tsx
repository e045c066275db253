import { notifications } from '@mantine/notifications'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import type { JsonObject } from '@/lib/json'
import { Confirm, Note, Reading } from '@/ui'
import { changesBetween, type Shadow } from '../model'
import { shadowVersionQuery, useRestoreShadow } from '../queries'
import { ChangesTable } from './ChangesTable'
import css from './history.module.css'

interface RestoreDesiredProps {
  deviceId: string
  version: number
  now: Shadow
  onRestored: () => void
  onClose: () => void
}

/** Shows what wanting an earlier state again would change, and does it when told to. */
export function RestoreDesired({
  deviceId,
  version,
  now,
  onRestored,
  onClose,
}: RestoreDesiredProps) {
  const { t } = useTranslation()
  const then = useQuery(shadowVersionQuery(deviceId, version))
  const restore = useRestoreShadow(deviceId)
  const changes =
    then.data && changesBetween(now.desired as JsonObject, then.data.desired as JsonObject)
  return (
    <Confirm
      title={t('shadows.restore.title', { version })}
      action={t('shadows.restore.action')}
      danger={false}
      disabled={!changes || changes.length === 0}
      pending={restore.isPending}
      error={restore.error}
      onClose={onClose}
      onConfirm={() =>
        restore.mutate(
          { now, version },
          {
            onSuccess: (shadow) => {
              notifications.show({
                message: t('shadows.restore.done', { version: shadow.version }),
                color: 'moss',
              })
              onRestored()
            },
          },
        )
      }
    >
      <div className={css.preview}>
        <p>{t('shadows.restore.what')}</p>
        <Reading query={then}>
          {() =>
            changes && changes.length > 0 ? (
              <ChangesTable
                label={t('shadows.desired')}
                before={t('shadows.restore.now')}
                after={t('shadows.restore.then')}
                changes={changes}
              />
            ) : (
              <Note>{t('shadows.restore.nothing')}</Note>
            )
          }
        </Reading>
      </div>
    </Confirm>
  )
}
