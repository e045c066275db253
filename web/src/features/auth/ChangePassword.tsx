import { Button, Group, Modal, PasswordInput, Stack } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Refused } from '@/ui'
import { useChangePassword } from './queries'

/** The dialog that replaces the signed-in person's password. */
export function ChangePassword({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation()
  const [current, setCurrent] = useState('')
  const [next, setNext] = useState('')
  const change = useChangePassword()
  const eye = { 'aria-label': t('auth.showPassword') }
  return (
    <Modal opened onClose={onClose} title={t('auth.changePassword')}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          change.mutate(
            { current_password: current, new_password: next },
            {
              onSuccess: () => {
                notifications.show({ message: t('auth.passwordChanged'), color: 'moss' })
                onClose()
              },
            },
          )
        }}
      >
        <Stack>
          <PasswordInput
            label={t('auth.currentPassword')}
            autoComplete="current-password"
            value={current}
            onChange={(event) => setCurrent(event.currentTarget.value)}
            visibilityToggleButtonProps={eye}
            required
            withAsterisk={false}
            data-autofocus
          />
          <PasswordInput
            label={t('auth.newPassword')}
            autoComplete="new-password"
            value={next}
            onChange={(event) => setNext(event.currentTarget.value)}
            visibilityToggleButtonProps={eye}
            required
            withAsterisk={false}
          />
          {change.isError && <Refused error={change.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t('ui.cancel')}
            </Button>
            <Button type="submit" loading={change.isPending}>
              {t('auth.changePassword')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
