import { Button } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { applyPatch, type JsonObject, mergePatch, nullPaths, parseObject, pretty } from '@/lib/json'
import { JsonView, Note, Panel, Refused } from '@/ui'
import { JsonDiff, JsonEditor } from '@/ui/json-editor'
import { type Shadow, ShadowConflict } from '../model'
import { useSaveDesired } from '../queries'
import { Conflict } from './Conflict'
import css from './shadows.module.css'

interface DesiredEditorProps {
  deviceId: string
  shadow: Shadow
  onClose: () => void
}

/**
 * Edits the whole desired state as JSON and sends only what changed. The base is what stood when editing began: the
 * shadow may move on meanwhile, and the text must not change under the writer's hands.
 */
export function DesiredEditor({ deviceId, shadow, onClose }: DesiredEditorProps) {
  const { t } = useTranslation()
  const [base, setBase] = useState<JsonObject>(shadow.desired as JsonObject)
  const [text, setText] = useState(() => pretty(shadow.desired))
  const save = useSaveDesired(deviceId)

  const parsed = parseObject(text)
  const nulls = parsed.ok ? nullPaths(parsed.value) : []
  const patch = parsed.ok ? mergePatch(base, parsed.value) : {}
  const changed = Object.keys(patch).length > 0
  const fault = !parsed.ok
    ? t(`shadows.invalid.${parsed.reason}`)
    : nulls.length > 0
      ? t('shadows.invalid.null', { paths: nulls.join(', ') })
      : null
  const conflict = save.error instanceof ShadowConflict ? save.error.latest : null

  const submit = () =>
    save.mutate(
      { base, patch },
      {
        onSuccess: (saved) => {
          notifications.show({
            message: t('shadows.saved', { version: saved.version }),
            color: 'moss',
          })
          onClose()
        },
      },
    )

  /** Takes what stands now as the base and puts our change on it. */
  const rebase = (latest: Shadow) => {
    const theirs = latest.desired as JsonObject
    setBase(theirs)
    setText(pretty(applyPatch(theirs, patch)))
    save.reset()
  }
  const discard = (latest: Shadow) => {
    setBase(latest.desired as JsonObject)
    setText(pretty(latest.desired))
    save.reset()
  }

  return (
    <form
      className={css.editor}
      onSubmit={(event) => {
        event.preventDefault()
        submit()
      }}
    >
      <Panel title={t('shadows.editing')}>
        <div className={css.column}>
          {conflict && (
            <Conflict
              before={base}
              latest={conflict}
              onRebase={() => rebase(conflict)}
              onDiscard={() => discard(conflict)}
            />
          )}
          <JsonEditor
            label={t('shadows.editorLabel')}
            value={text}
            onChange={setText}
            minHeight={300}
            invalid={fault !== null}
          />
          {save.isError && !conflict && <Refused error={save.error} />}
          <div className={css.foot}>
            <span
              className={fault ? undefined : 'quiet'}
              role="status"
              style={{ color: fault ? 'var(--brick)' : undefined }}
            >
              {fault ?? (changed ? t('shadows.willSend') : t('shadows.unchanged'))}
            </span>
            <Button variant="default" onClick={onClose}>
              {t('ui.cancel')}
            </Button>
            <Button
              type="submit"
              disabled={!changed || fault !== null || conflict !== null}
              loading={save.isPending}
            >
              {t('shadows.save')}
            </Button>
          </div>
        </div>
      </Panel>
      <div className={css.column}>
        <Panel title={t('shadows.review')}>
          {changed && parsed.ok ? (
            <JsonDiff
              before={pretty(base)}
              after={pretty(parsed.value)}
              label={t('shadows.review')}
            />
          ) : (
            <Note>{t('shadows.reviewEmpty')}</Note>
          )}
        </Panel>
        <Panel title={t('shadows.reported')}>
          <JsonView value={shadow.reported} label={t('shadows.reportedJson')} />
        </Panel>
      </div>
    </form>
  )
}
