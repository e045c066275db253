import { Button, SegmentedControl, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Panel, Refused } from '@/ui'
import { LIFETIMES, type Lifetime } from '../model'
import { useCreateCode } from '../queries'
import { TagsField } from './fields'
import css from './provisioning.module.css'

/** What the device that uses the code will be called, and how long the code is good for. */
export function CodeForm({ onCreated }: { onCreated: (codeId: string) => void }) {
  const { t } = useTranslation()
  const [name, setName] = useState('')
  const [tags, setTags] = useState<string[]>([])
  const [lifetime, setLifetime] = useState<Lifetime>('day')
  const create = useCreateCode()
  return (
    <Panel title={t('provisioning.newCode')}>
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault()
          create.mutate(
            { name: name.trim(), tags, expiresIn: LIFETIMES[lifetime] },
            { onSuccess: ({ id }) => onCreated(id) },
          )
        }}
      >
        <TextInput
          label={t('provisioning.name')}
          description={t('provisioning.nameHint')}
          placeholder={t('provisioning.namePlaceholder')}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <TagsField tags={tags} onTags={setTags} />
        <div>
          <div style={{ marginBottom: 4, fontSize: 13, fontWeight: 500 }}>
            {t('provisioning.lifetime')}
          </div>
          <SegmentedControl
            aria-label={t('provisioning.lifetime')}
            value={lifetime}
            onChange={(value) => setLifetime(value as Lifetime)}
            data={(Object.keys(LIFETIMES) as Lifetime[]).map((value) => ({
              value,
              label: t(`provisioning.lifetimes.${value}`),
            }))}
          />
        </div>
        {create.isError && <Refused error={create.error} />}
        <div>
          <Button type="submit" loading={create.isPending}>
            {t('provisioning.create')}
          </Button>
        </div>
      </form>
    </Panel>
  )
}
