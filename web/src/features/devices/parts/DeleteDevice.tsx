import { Button, Group, Modal, Stack, Text } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { Refused } from '@/ui'
import type { Device } from '../model'
import { useDeleteDevice } from '../queries'

/** Asks before it removes a device, saying what goes with it. */
export function DeleteDevice({ device, onClose }: { device: Device; onClose: () => void }) {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const remove = useDeleteDevice(device.device_id)
  return (
    <Modal
      closeButtonProps={{ 'aria-label': t('ui.close') }}
      opened
      onClose={onClose}
      title={t('devices.deleteTitle', { name: device.name })}
    >
      <Stack>
        <Text size="sm">{t('devices.deleteWhat')}</Text>
        {remove.isError && <Refused error={remove.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} data-autofocus>
            {t('ui.cancel')}
          </Button>
          <Button
            color="brick"
            loading={remove.isPending}
            onClick={() =>
              remove.mutate(undefined, { onSuccess: () => void navigate({ to: '/devices' }) })
            }
          >
            {t('devices.delete')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
