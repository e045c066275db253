import { Button, Progress } from '@mantine/core'
import { IconArrowRight, IconDownload } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { MayNot, useMay } from '@/features/auth'
import { saveFile } from '@/lib/save-file'
import { crumbClass, Note, PageHead, Panel, Refused } from '@/ui'
import { recordsOf } from './csv'
import { ImportRows, Tally } from './parts/ImportRows'
import { ImportSource } from './parts/ImportSource'
import css from './parts/import.module.css'
import { type ImportResult, keysCsv, useImport } from './transfer'

/** Devices from a table: first what would come of each line, without a change; then the deed. */
export function ImportPage() {
  const { t } = useTranslation()
  const may = useMay('devices:manage')
  return (
    <>
      <PageHead
        title={t('import.title')}
        lead={t('import.lead')}
        crumb={
          <Link to="/devices" className={crumbClass}>
            {t('devices.title')}
          </Link>
        }
      />
      <MayNot permission="devices:manage" toDo={t('provisioning.mayNot')} />
      {may && <Import />}
    </>
  )
}

function Import() {
  const { t } = useTranslation()
  const [csv, setCsv] = useState('')
  const [checked, setChecked] = useState('')
  const look = useImport()
  const deed = useImport()
  const check = (text: string) => {
    setCsv(text)
    setChecked(text)
    deed.reset()
    look.run({ csv: text, dryRun: true })
  }
  const over = deed.result !== null || deed.pending
  if (over) {
    return (
      <div className={css.stack}>
        {deed.error != null && <Refused error={deed.error} />}
        {deed.pending ? (
          <Running progress={deed.progress} result={deed.result} />
        ) : (
          deed.result && (
            <Done
              result={deed.result}
              csv={checked}
              left={deed.progress.of - deed.progress.done}
              onAgain={() => {
                deed.reset()
                look.reset()
                setCsv('')
              }}
            />
          )
        )}
      </div>
    )
  }
  return (
    <div className={css.stack}>
      <ImportSource
        csv={csv}
        onCsv={setCsv}
        pending={look.pending}
        onCheck={check}
        checked={csv !== '' && csv === checked}
      />
      {look.pending && look.progress.of > 0 && (
        <Progress
          value={(100 * look.progress.done) / look.progress.of}
          aria-label={t('import.checking')}
        />
      )}
      {look.error != null && <Refused error={look.error} />}
      {deed.error != null && <Refused error={deed.error} />}
      {look.result && !look.pending && csv === checked && (
        <Plan
          result={look.result}
          csv={checked}
          onRun={() => deed.run({ csv: checked, dryRun: false })}
        />
      )}
    </div>
  )
}

interface PlanProps {
  result: ImportResult
  csv: string
  onRun: () => void
}

function Plan({ result, csv, onRun }: PlanProps) {
  const { t } = useTranslation()
  const changes = result.created + result.updated
  return (
    <Panel
      title={t('import.plan')}
      flush
      actions={
        <Button size="compact-md" disabled={changes === 0} onClick={onRun}>
          {changes === 0 ? t('import.nothing') : t('import.run', { count: changes })}
        </Button>
      }
    >
      <div className={css.head}>
        <Tally result={result} />
        {result.failed > 0 && (
          <Note tone="wait">
            {t(changes > 0 ? 'import.someFail' : 'import.allFail', { count: result.failed })}
          </Note>
        )}
      </div>
      <ImportRows result={result} records={recordsOf(csv)} />
    </Panel>
  )
}

interface RunningProps {
  progress: { done: number; of: number }
  result: ImportResult | null
}

function Running({ progress: { done, of }, result }: RunningProps) {
  const { t, i18n } = useTranslation()
  const number = (value: number) => value.toLocaleString(i18n.language)
  return (
    <Panel title={t('import.running')}>
      <div className={css.head} style={{ padding: 0 }}>
        <Progress value={of === 0 ? 0 : (100 * done) / of} aria-label={t('import.running')} />
        <span className="quiet" role="status">
          {t('import.progress', { done: number(done), of: number(of) })}
        </span>
        {result && <Tally result={result} />}
      </div>
    </Panel>
  )
}

interface DoneProps {
  result: ImportResult
  csv: string
  /** Lines that were not tried, since a part failed as a whole. */
  left: number
  onAgain: () => void
}

function Done({ result, csv, left, onAgain }: DoneProps) {
  const { t } = useTranslation()
  const keys = result.rows.some(({ api_key }) => api_key)
  return (
    <Panel title={left > 0 ? t('import.stopped') : t('import.done')} flush>
      <div className={css.head}>
        <Tally result={result} />
        {left > 0 && <Note tone="bad">{t('import.left', { count: left })}</Note>}
        {result.failed > 0 && (
          <Note tone="bad">{t('import.failedLines', { count: result.failed })}</Note>
        )}
        {keys && (
          <Note tone="wait" title={t('import.keysOnce')}>
            {t('import.keysOnceHint')}
            <div style={{ marginTop: 8 }}>
              <Button
                size="compact-md"
                variant="default"
                leftSection={<IconDownload size={15} />}
                onClick={() => saveFile('device-keys.csv', keysCsv(result.rows), 'text/csv')}
              >
                {t('import.saveKeys')}
              </Button>
            </div>
          </Note>
        )}
        <div className={css.buttons}>
          <Button
            renderRoot={(props) => <Link to="/devices" {...props} />}
            rightSection={<IconArrowRight size={15} />}
          >
            {t('import.toDevices')}
          </Button>
          <Button variant="default" onClick={onAgain}>
            {t('import.another')}
          </Button>
        </div>
      </div>
      <ImportRows result={result} records={recordsOf(csv)} done />
    </Panel>
  )
}
