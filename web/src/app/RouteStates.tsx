import { Button } from '@mantine/core'
import { IconMapOff } from '@tabler/icons-react'
import { type ErrorComponentProps, Link, useRouter } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { Blank, Failed } from '@/ui'

/** A page that broke or could not be opened, within whatever is around it. */
export function RouteFailed({ error, reset }: ErrorComponentProps) {
  const router = useRouter()
  return (
    <Failed
      error={error}
      onRetry={() => {
        reset()
        void router.invalidate()
      }}
    />
  )
}

export function NotFound() {
  const { t } = useTranslation()
  return (
    <Blank
      icon={<IconMapOff size={22} stroke={1.6} />}
      title={t('app.notFound')}
      actions={
        <Button renderRoot={(props) => <Link to="/devices" {...props} />}>
          {t('app.toDevices')}
        </Button>
      }
    >
      {t('app.notFoundHint')}
    </Blank>
  )
}
