import { Button, Group, Modal, Select, Stack, TagsInput, Textarea, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useProjectNames } from '@/features/projects'
import { Refused } from '@/ui'
import type { Device } from '../model'
import { useUpdateDevice } from '../queries'

export function EditDevice({ device, onClose }: { device: Device; onClose: () => void }) {
  const { t } = useTranslation()
  const [name, setName] = useState(device.name)
  const [tags, setTags] = useState(device.tags)
  const [notes, setNotes] = useState(device.notes ?? '')
  const [projectId, setProjectId] = useState(device.project_id)
  const projects = useProjectNames()
  const update = useUpdateDevice(device)
  return (
    <Modal
      closeButtonProps={{ 'aria-label': t('ui.close') }}
      opened
      onClose={onClose}
      title={t('devices.edit')}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault()
          update.mutate(
            { name: name.trim(), tags, notes, project_id: projectId },
            { onSuccess: onClose },
          )
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
          {projects.size > 0 && (
            <Select
              label={t('devices.project')}
              data={[...projects].map(([value, label]) => ({ value, label }))}
              value={projectId}
              onChange={setProjectId}
              clearable
              searchable
            />
          )}
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
