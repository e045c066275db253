import { Button, Group, TextInput } from '@mantine/core'
import { IconArrowRight } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { forgetClaimCode } from '@/lib/claim-code'
import { CodeLine, Note, Panel, Refused } from '@/ui'
import { useClaim } from '../queries'
import { ProjectField, TagsField } from './fields'
import css from './provisioning.module.css'

interface ClaimFormProps {
  code: string
  onAnother: () => void
}

/** Takes over a device that was released: what it shall be called here, and then its key, shown this once. */
export function ClaimForm({ code, onAnother }: ClaimFormProps) {
  const { t } = useTranslation()
  const [name, setName] = useState('')
  const [tags, setTags] = useState<string[]>([])
  const [projectId, setProjectId] = useState<string | null>(null)
  const claim = useClaim()
  if (claim.data) {
    const { device_id: deviceId, name: called, api_key: key } = claim.data
    return (
      <Panel title={t('claim.done', { name: called })}>
        <div className={css.form}>
          <Note tone="good" role="status">
            {t('claim.doneHint')}
          </Note>
          <Note tone="wait" title={t('apiKeys.once')}>
            {t('claim.keyHint')}
          </Note>
          <CodeLine
            text={`EDGEFLOW_DEVICE_ID=${deviceId} EDGEFLOW_API_KEY=${key}`}
            label={t('provisioning.copyLine')}
          />
          <div>
            <Button
              renderRoot={(props) => (
                <Link to="/devices/$deviceId" params={{ deviceId }} {...props} />
              )}
              rightSection={<IconArrowRight size={15} />}
            >
              {t('provisioning.open')}
            </Button>
          </div>
        </div>
      </Panel>
    )
  }
  return (
    <Panel title={t('claim.takeOver')}>
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault()
          claim.mutate(
            {
              code,
              tags,
              ...(name.trim() ? { name: name.trim() } : {}),
              ...(projectId ? { project_id: projectId } : {}),
            },
            { onSuccess: forgetClaimCode },
          )
        }}
      >
        <span className={css.code}>{code}</span>
        <span>{t('claim.what')}</span>
        <TextInput
          label={t('provisioning.name')}
          description={t('claim.nameHint')}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          maxLength={200}
        />
        <TagsField tags={tags} onTags={setTags} />
        <ProjectField projectId={projectId} onProject={setProjectId} />
        {claim.isError && <Refused error={claim.error} />}
        <Group gap={8}>
          <Button type="submit" loading={claim.isPending}>
            {t('claim.takeOver')}
          </Button>
          <Button variant="default" onClick={onAnother}>
            {t('claim.another')}
          </Button>
        </Group>
      </form>
    </Panel>
  )
}
