import { Button, Group, Modal, Stack } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { exact } from '@/lib/format'
import { CodeLine, Confirm, Note } from '@/ui'
import type { Device } from '../model'
import { useUnclaimDevice } from '../queries'

/** Lets the device go: its key dies, and what is stored of it with it. The code to take it over is shown this once. */
export function Unclaim({ device, onClose }: { device: Device; onClose: () => void }) {
  const { t, i18n } = useTranslation()
  const unclaim = useUnclaimDevice(device.device_id)
  if (unclaim.data) {
    const { code, hint, claimable_until: until } = unclaim.data
    return (
      <Modal
        closeButtonProps={{ 'aria-label': t('ui.close') }}
        opened
        onClose={onClose}
        title={t('unclaim.done')}
        closeOnClickOutside={false}
      >
        <Stack>
          {code ? (
            <>
              <Note tone="wait" title={t('unclaim.once')} role="status">
                {t('unclaim.claimable', { time: exact(until, i18n.language) })}
              </Note>
              <div data-testid="claim-code">
                <CodeLine text={code} label={t('unclaim.copy')} />
              </div>
            </>
          ) : (
            <Note tone="wait" title={t('unclaim.waits', { hint })} role="status">
              {t('unclaim.claimable', { time: exact(until, i18n.language) })}
            </Note>
          )}
          <Group justify="flex-end">
            <Button onClick={onClose}>{t('ui.close')}</Button>
          </Group>
        </Stack>
      </Modal>
    )
  }
  return (
    <Confirm
      title={t('unclaim.ask', { name: device.name || device.device_id })}
      action={t('unclaim.title')}
      pending={unclaim.isPending}
      error={unclaim.error}
      onConfirm={() => unclaim.mutate()}
      onClose={onClose}
    >
      {t('unclaim.what')}
    </Confirm>
  )
}
