import { Button } from '@mantine/core'
import { IconArrowRight } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { deviceQuery } from '@/features/devices'
import { usePollWhenNotLive } from '@/lib/live'
import { Dot, Note } from '@/ui'
import type { ProvisioningCode } from '../model'
import css from './provisioning.module.css'

/** Waits for the device of a code; turns green by itself when it has come. */
export function Arrival({ code }: { code: ProvisioningCode }) {
  const { t } = useTranslation()
  if (code.status === 'expired') {
    return (
      <Note tone="wait" title={t('provisioning.expired')} role="status">
        {t('provisioning.expiredHint')}
      </Note>
    )
  }
  if (code.status === 'used' && code.device_id) return <Arrived deviceId={code.device_id} />
  return (
    <div className={css.waiting} role="status">
      <Dot tone="wait" pulse />
      {t('provisioning.waiting')}
    </div>
  )
}

function Arrived({ deviceId }: { deviceId: string }) {
  const { t } = useTranslation()
  const poll = usePollWhenNotLive(3_000)
  const { data: device } = useQuery({ ...deviceQuery(deviceId), refetchInterval: poll })
  const online = device?.status === 'online'
  return (
    <Note
      tone="good"
      role="status"
      title={t(online ? 'provisioning.online' : 'provisioning.arrived', {
        name: device?.name || deviceId,
      })}
    >
      {t(online ? 'provisioning.onlineHint' : 'provisioning.arrivedHint')}
      <div className={css.arrived}>
        <Button
          size="compact-md"
          renderRoot={(props) => <Link to="/devices/$deviceId" params={{ deviceId }} {...props} />}
          rightSection={<IconArrowRight size={15} />}
        >
          {t('provisioning.open')}
        </Button>
      </div>
    </Note>
  )
}
