import { ActionIcon, Menu } from '@mantine/core'
import { IconDots, IconKey, IconPencil, IconPlugConnectedX, IconTrash } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useMay } from '@/features/auth'
import type { Device } from '../model'
import { DeleteDevice } from './DeleteDevice'
import { EditDevice } from './EditDevice'
import { RotateKey } from './RotateKey'
import { Unclaim } from './Unclaim'

interface DeviceMenuProps {
  device: Device
  /** It is here no more: nothing new may be begun, what is open stays. */
  gone: boolean
}

/** What may be done to the registry entry itself. */
export function DeviceMenu({ device, gone }: DeviceMenuProps) {
  const { t } = useTranslation()
  const [open, setOpen] = useState<'edit' | 'rotate' | 'unclaim' | 'delete' | null>(null)
  const close = () => setOpen(null)
  const mayManage = useMay('devices:manage')
  const mayDelete = useMay('resources:delete')
  if (!mayManage && !mayDelete) return null
  return (
    <>
      {!gone && (
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon variant="default" size={34} aria-label={t('devices.actions')}>
              <IconDots size={17} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item
              leftSection={<IconPencil size={15} />}
              disabled={!mayManage}
              onClick={() => setOpen('edit')}
            >
              {t('devices.edit')}
            </Menu.Item>
            <Menu.Item
              leftSection={<IconKey size={15} />}
              disabled={!mayManage}
              onClick={() => setOpen('rotate')}
            >
              {t('rotate.title')}
            </Menu.Item>
            <Menu.Divider />
            <Menu.Item
              color="brick"
              disabled={!mayDelete}
              leftSection={<IconPlugConnectedX size={15} />}
              onClick={() => setOpen('unclaim')}
            >
              {t('unclaim.title')}
            </Menu.Item>
            <Menu.Item
              color="brick"
              disabled={!mayDelete}
              leftSection={<IconTrash size={15} />}
              onClick={() => setOpen('delete')}
            >
              {t('devices.delete')}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      )}
      {open === 'edit' && <EditDevice device={device} onClose={close} />}
      {open === 'rotate' && <RotateKey device={device} onClose={close} />}
      {open === 'unclaim' && <Unclaim device={device} onClose={close} />}
      {open === 'delete' && <DeleteDevice device={device} onClose={close} />}
    </>
  )
}
