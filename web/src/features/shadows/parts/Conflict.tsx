import { Button, Group } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { type JsonObject, pretty } from '@/lib/json'
import { Note } from '@/ui'
import { JsonDiff } from '@/ui/json-editor'
import type { Shadow } from '../model'

interface ConflictProps {
  before: JsonObject
  latest: Shadow
  onRebase: () => void
  onDiscard: () => void
}

/** Nothing was saved, because somebody was faster: shows what they did and offers both ways on. */
export function Conflict({ before, latest, onRebase, onDiscard }: ConflictProps) {
  const { t } = useTranslation()
  return (
    <Note tone="wait" role="alert" title={t('shadows.conflict', { version: latest.version })}>
      <p style={{ margin: '2px 0 10px' }}>{t('shadows.conflictHint')}</p>
      <JsonDiff
        before={pretty(before)}
        after={pretty(latest.desired)}
        label={t('shadows.theirs')}
      />
      <Group gap={8} mt={10}>
        <Button size="compact-sm" onClick={onRebase}>
          {t('shadows.rebase')}
        </Button>
        <Button size="compact-sm" variant="default" onClick={onDiscard}>
          {t('shadows.discard')}
        </Button>
      </Group>
    </Note>
  )
}
