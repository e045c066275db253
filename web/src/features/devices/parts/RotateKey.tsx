import { Button, Group, Modal, Select, Stack } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { exact } from '@/lib/format'
import { CodeLine, FormModal, Note } from '@/ui'
import type { Device } from '../model'
import { useRotateKey } from '../queries'

const OVERLAPS = { none: 0, hour: 3_600, day: 86_400, week: 604_800 } as const
type Overlap = keyof typeof OVERLAPS

/** Gives the device another key; the old one stays good for as long as it takes to bring the new one over. */
export function RotateKey({ device, onClose }: { device: Device; onClose: () => void }) {
  const { t, i18n } = useTranslation()
  const [overlap, setOverlap] = useState<Overlap>('day')
  const rotate = useRotateKey(device.device_id)
  if (rotate.data) {
    const { api_key: key, old_key_valid_until: until } = rotate.data
    return (
      <Modal
        closeButtonProps={{ 'aria-label': t('ui.close') }}
        opened
        onClose={onClose}
        title={t('rotate.title')}
        closeOnClickOutside={false}
      >
        <Stack>
          <Note tone="wait" title={t('apiKeys.once')}>
            {t('apiKeys.onceHint')}
          </Note>
          <div data-testid="device-key">
            <CodeLine text={key} label={t('apiKeys.copy')} />
          </div>
          <span className="quiet">
            {OVERLAPS[overlap] > 0
              ? t('rotate.until', { time: exact(until, i18n.language) })
              : t('rotate.atOnce')}
          </span>
          <Group justify="flex-end">
            <Button onClick={onClose}>{t('apiKeys.kept')}</Button>
          </Group>
        </Stack>
      </Modal>
    )
  }
  return (
    <FormModal
      title={t('rotate.title')}
      action={t('rotate.action')}
      pending={rotate.isPending}
      error={rotate.error}
      onClose={onClose}
      onSubmit={() => rotate.mutate(OVERLAPS[overlap])}
    >
      <span>{t('rotate.what')}</span>
      <Select
        label={t('rotate.overlap')}
        data={(Object.keys(OVERLAPS) as Overlap[]).map((value) => ({
          value,
          label: t(`rotate.overlaps.${value}`),
        }))}
        value={overlap}
        allowDeselect={false}
        onChange={(value) => setOverlap((value ?? 'day') as Overlap)}
      />
    </FormModal>
  )
}
