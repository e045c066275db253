import { Button, Group, Modal, Stack, TagsInput, Textarea, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Refused } from '@/ui'
import type { Device } from '../model'
import { useUpdateDevice } from '../queries'

export function EditDevice({ device, onClose }: { device: Device; onClose: () => void }) {
  const { t } = useTranslation()
  const [name, setName] = useState(device.name)
  const [tags, setTags] = useState(device.tags)
  const [notes, setNotes] = useState(device.notes ?? '')
  const update = useUpdateDevice(device)
  return (
    <Modal opened onClose={onClose} title={t('devices.edit')}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          update.mutate({ name: name.trim(), tags, notes }, { onSuccess: onClose })
        }}
      >
        <Stack>
          <TextInput
            label={t('devices.name')}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            required
            data-autofocus
          />
          <TagsInput
            label={t('devices.tags')}
            value={tags}
            onChange={setTags}
            splitChars={[',', ' ']}
          />
          <Textarea
            label={t('devices.notes')}
            value={notes}
            onChange={(event) => setNotes(event.currentTarget.value)}
            autosize
            minRows={2}
          />
          {update.isError && <Refused error={update.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t('ui.cancel')}
            </Button>
            <Button type="submit" loading={update.isPending}>
              {t('ui.save')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
