import { Button, CloseButton, TagsInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { notifications } from '@mantine/notifications'
import { IconChartLine, IconTag } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { TargetBody } from '@/api/generated'
import { FormModal } from '@/ui'
import { tagPreviewQuery, useTagDevices } from '../queries'
import css from './devices.module.css'

interface SelectionBarProps {
  count: number | undefined
  target: TargetBody
  onClear: () => void
  /** More that can be done with the picked ones. */
  children?: ReactNode
}

/** What can be done with the picked devices. */
export function SelectionBar({ count, target, onClear, children }: SelectionBarProps) {
  const { t } = useTranslation()
  const [tagging, setTagging] = useState(false)
  return (
    <section className={css.bar} aria-label={t('devices.picked')}>
      <strong>{t('devices.pickedCount', { count: count ?? 0 })}</strong>
      <Button
        size="compact-md"
        variant="default"
        leftSection={<IconTag size={15} />}
        onClick={() => setTagging(true)}
      >
        {t('devices.changeTags')}
      </Button>
      <Button
        size="compact-md"
        variant="default"
        leftSection={<IconChartLine size={15} />}
        renderRoot={(props) => <Link to="/devices/compare" search={compared(target)} {...props} />}
      >
        {t('compare.open')}
      </Button>
      {children}
      <CloseButton aria-label={t('devices.pickNone')} onClick={onClear} />
      {tagging && <TagMany target={target} onClose={() => setTagging(false)} />}
    </section>
  )
}

/** The same devices as the page that compares takes them. */
const compared = ({ device_ids: ids, query }: TargetBody): { ids?: string; q?: string } => ({
  ...(ids ? { ids: ids.join() } : {}),
  ...(query ? { q: query } : {}),
})

/** Tags to add and to take away; before it acts it says how many devices that reaches and changes. */
function TagMany({ target, onClose }: { target: TargetBody; onClose: () => void }) {
  const { t } = useTranslation()
  const [add, setAdd] = useState<string[]>([])
  const [remove, setRemove] = useState<string[]>([])
  const [change] = useDebouncedValue({ target, add, remove }, 200)
  const something = add.length + remove.length > 0
  const preview = useQuery({ ...tagPreviewQuery(change), enabled: something })
  const apply = useTagDevices()
  const counted = something && preview.data && !preview.isPlaceholderData ? preview.data : undefined
  return (
    <FormModal
      title={t('devices.changeTags')}
      action={
        counted ? t('devices.changeCount', { count: counted.changed }) : t('devices.changeTags')
      }
      pending={apply.isPending}
      error={apply.error ?? (something ? preview.error : null)}
      disabled={!counted || counted.changed === 0}
      onClose={onClose}
      onSubmit={() =>
        apply.mutate(
          { target, add, remove },
          {
            onSuccess: ({ changed }) => {
              notifications.show({
                message: t('devices.tagged', { count: changed }),
                color: 'moss',
              })
              onClose()
            },
          },
        )
      }
    >
      <TagsInput
        label={t('devices.addTags')}
        description={t('provisioning.tagsHint')}
        value={add}
        onChange={setAdd}
        splitChars={[',', ' ']}
        acceptValueOnBlur
        data-autofocus
      />
      <TagsInput
        label={t('devices.removeTags')}
        value={remove}
        onChange={setRemove}
        splitChars={[',', ' ']}
        acceptValueOnBlur
      />
      <div className={css.preview} role="status">
        {counted && t('devices.tagPreview', counted)}
      </div>
    </FormModal>
  )
}
