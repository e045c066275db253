import { Button, Group, Modal, Stack } from '@mantine/core'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Refused } from './states'

interface ConfirmProps {
  title: string
  /** What happens, and whether there is a way back. */
  children: ReactNode
  action: string
  danger?: boolean
  disabled?: boolean
  pending: boolean
  error: unknown
  onConfirm: () => void
  onClose: () => void
}

/** Asks before something that reaches further than one's own screen. Enter does not say yes: "Cancel" has the focus. */
export function Confirm({
  title,
  children,
  action,
  danger = true,
  disabled = false,
  pending,
  error,
  onConfirm,
  onClose,
}: ConfirmProps) {
  const { t } = useTranslation()
  return (
    <Modal
      closeButtonProps={{ 'aria-label': t('ui.close') }}
      opened
      onClose={onClose}
      title={title}
    >
      <Stack>
        <div>{children}</div>
        {error != null && <Refused error={error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} data-autofocus>
            {t('ui.cancel')}
          </Button>
          <Button
            {...(danger ? { color: 'brick' } : {})}
            loading={pending}
            disabled={disabled}
            onClick={onConfirm}
          >
            {action}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
