import { Button, Group, Modal, Stack } from '@mantine/core'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Refused } from './states'

interface FormModalProps {
  title: string
  action: string
  pending: boolean
  error: unknown
  disabled?: boolean
  onSubmit: () => void
  onClose: () => void
  children: ReactNode
}

/** A short form in a dialog: its fields, what the server thinks of them, and two buttons. */
export function FormModal({
  title,
  action,
  pending,
  error,
  disabled = false,
  onSubmit,
  onClose,
  children,
}: FormModalProps) {
  const { t } = useTranslation()
  return (
    <Modal
      closeButtonProps={{ 'aria-label': t('ui.close') }}
      opened
      onClose={onClose}
      title={title}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault()
          onSubmit()
        }}
      >
        <Stack>
          {children}
          {error != null && <Refused error={error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t('ui.cancel')}
            </Button>
            <Button type="submit" loading={pending} disabled={disabled}>
              {action}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
