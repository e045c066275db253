import { Button, Select } from '@mantine/core'
import { IconArrowBackUp, IconArrowRight } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useMay } from '@/features/auth'
import { Panel, Reading } from '@/ui'
import type { Comparison, Shadow, ShadowVersion } from '../model'
import { shadowDiffQuery } from '../queries'
import { ChangesTable } from './ChangesTable'
import css from './history.module.css'
import { RestoreDesired } from './RestoreDesired'

interface CompareProps {
  deviceId: string
  /** What stands now. */
  now: Shadow
  from: number
  to: number
  /** Those that were read so far, for the two choices. */
  versions: readonly ShadowVersion[]
  onComparison: (comparison: Comparison) => void
}

/** Two versions side by side, and the way back to the later of them (or to the earlier one, when the later stands). */
export function Compare({ deviceId, now, from, to, versions, onComparison }: CompareProps) {
  const { t } = useTranslation()
  const may = useMay('devices:manage') ?? false
  // Which one was asked for: what stands may move on while the dialog is open.
  const [restoring, setRestoring] = useState<number | null>(null)
  const diff = useQuery(shadowDiffQuery(deviceId, from, to))
  const target = to === now.version ? from : to
  const options = [...new Set([from, to, ...versions.map(({ version }) => version)])]
    .sort((a, b) => b - a)
    .map((version) => ({ value: String(version), label: String(version) }))
  const restore = may && target > 0 && target !== now.version && (
    <Button
      size="compact-sm"
      variant="default"
      leftSection={<IconArrowBackUp size={14} />}
      onClick={() => setRestoring(target)}
    >
      {t('shadows.restore.open', { version: target })}
    </Button>
  )
  return (
    <Panel title={t('shadows.history.compare')} flush actions={restore}>
      <div className={css.choice}>
        <Select
          label={t('shadows.history.from')}
          size="xs"
          searchable
          allowDeselect={false}
          data={options}
          value={String(from)}
          onChange={(value) => value && onComparison({ from: Number(value), to })}
        />
        <IconArrowRight size={16} aria-hidden className={css.arrow} />
        <Select
          label={t('shadows.history.to')}
          size="xs"
          searchable
          allowDeselect={false}
          data={options}
          value={String(to)}
          onChange={(value) => value && onComparison({ from, to: Number(value) })}
        />
        {to !== now.version && (
          <Button
            size="compact-sm"
            variant="subtle"
            onClick={() => onComparison({ from: to, to: now.version })}
          >
            {t('shadows.history.sinceThen')}
          </Button>
        )}
      </div>
      <Reading query={diff}>
        {({ desired, reported }) =>
          desired.length + reported.length === 0 ? (
            <p className={css.same}>{t('shadows.history.same')}</p>
          ) : (
            <>
              {desired.length > 0 && (
                <ChangesTable
                  label={t('shadows.desired')}
                  before={t('shadows.version', { version: from })}
                  after={t('shadows.version', { version: to })}
                  changes={desired}
                />
              )}
              {reported.length > 0 && (
                <ChangesTable
                  label={t('shadows.reported')}
                  before={t('shadows.version', { version: from })}
                  after={t('shadows.version', { version: to })}
                  changes={reported}
                />
              )}
            </>
          )
        }
      </Reading>
      {restoring !== null && (
        <RestoreDesired
          deviceId={deviceId}
          version={restoring}
          now={now}
          onClose={() => setRestoring(null)}
          onRestored={() => {
            setRestoring(null)
            onComparison({})
          }}
        />
      )}
    </Panel>
  )
}
