import {
  Button,
  Modal,
  MultiSelect,
  SegmentedControl,
  Select,
  TagsInput,
  TextInput,
} from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useProjectNames } from '@/features/projects'
import { CodeLine, FormModal, Note } from '@/ui'
import { type Choice, LIVES, type Life, SCOPES, SUBSYSTEMS, scopesOf, type Verb } from '../model'
import { useCreateApiKey } from '../queries'
import css from './keys.module.css'

/** Name, scopes and life of a key; then the key itself, this once. */
export function CreateKey({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation()
  const [name, setName] = useState('')
  const [choice, setChoice] = useState<Choice>({ devices: 'read' })
  const [life, setLife] = useState<Life>('quarter')
  const [networks, setNetworks] = useState<string[]>([])
  const [projectIds, setProjectIds] = useState<string[]>([])
  const projects = useProjectNames()
  const create = useCreateApiKey()
  const scopes = scopesOf(choice)

  if (create.data) {
    return (
      <Modal
        closeButtonProps={{ 'aria-label': t('ui.close') }}
        opened
        onClose={onClose}
        title={create.data.name}
        closeOnClickOutside={false}
      >
        <div className={css.stack}>
          <Note tone="wait" title={t('apiKeys.once')} role="status">
            {t('apiKeys.onceHint')}
          </Note>
          <div data-testid="api-key">
            <CodeLine text={create.data.key} label={t('apiKeys.copy')} />
          </div>
          <p className="quiet" style={{ margin: 0 }}>
            {t('apiKeys.sendAs')} <code className="mono">X-API-Key</code>
          </p>
          <div>
            <Button onClick={onClose}>{t('apiKeys.kept')}</Button>
          </div>
        </div>
      </Modal>
    )
  }
  return (
    <FormModal
      title={t('apiKeys.create')}
      action={t('apiKeys.make')}
      pending={create.isPending}
      error={create.error}
      disabled={scopes.length === 0}
      onClose={onClose}
      onSubmit={() =>
        create.mutate({
          name: name.trim(),
          scopes,
          expires_in: LIVES[life],
          ...(networks.length > 0 ? { networks } : {}),
          ...(projectIds.length > 0 ? { projects: projectIds } : {}),
        })
      }
    >
      <TextInput
        label={t('apiKeys.name')}
        description={t('apiKeys.nameHint')}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        maxLength={120}
        required
        data-autofocus
      />
      <fieldset className={css.fields}>
        <legend>{t('apiKeys.scopes')}</legend>
        {SUBSYSTEMS.map((subsystem) => (
          <div key={subsystem} className={css.scope}>
            <span>{t(`apiKeys.subsystem.${subsystem}`)}</span>
            <SegmentedControl
              size="xs"
              aria-label={t(`apiKeys.subsystem.${subsystem}`)}
              value={choice[subsystem] ?? 'none'}
              onChange={(value) =>
                setChoice({
                  ...choice,
                  [subsystem]: value === 'none' ? undefined : (value as Verb),
                })
              }
              data={(['none', ...SCOPES[subsystem]] as const).map((value) => ({
                value,
                label: t(`apiKeys.verb.${value}`),
              }))}
            />
          </div>
        ))}
      </fieldset>
      {projects.size > 0 && (
        <MultiSelect
          label={t('apiKeys.projects')}
          description={t('apiKeys.projectsHint')}
          data={[...projects].map(([value, label]) => ({ value, label }))}
          value={projectIds}
          onChange={setProjectIds}
          clearable
          searchable
        />
      )}
      <TagsInput
        label={t('apiKeys.networks')}
        description={t('apiKeys.networksHint')}
        value={networks}
        onChange={setNetworks}
        splitChars={[',', ' ']}
        acceptValueOnBlur
      />
      <Select
        label={t('apiKeys.expires')}
        data={(Object.keys(LIVES) as Life[]).map((value) => ({
          value,
          label: t(`apiKeys.lives.${value}`),
        }))}
        value={life}
        onChange={(value) => value && setLife(value as Life)}
        allowDeselect={false}
      />
    </FormModal>
  )
}
