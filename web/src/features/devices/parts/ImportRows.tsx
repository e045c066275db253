import { Button, SegmentedControl } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { type Column, Pill, Table, type Tone } from '@/ui'
import { type ImportedRow, type ImportResult, OUTCOMES, type Outcome } from '../transfer'
import css from './import.module.css'

const TONES: Record<Outcome, Tone> = {
  created: 'good',
  updated: 'wait',
  unchanged: 'plain',
  failed: 'bad',
}
/** Rows drawn at first, and with each "more". */
const STEP = 200

export function Tally({ result }: { result: ImportResult }) {
  const { t, i18n } = useTranslation()
  return (
    <div className={css.tally} role="status">
      {OUTCOMES.filter((outcome) => result[outcome] > 0).map((outcome) => (
        <span key={outcome}>
          <strong>{result[outcome].toLocaleString(i18n.language)}</strong>{' '}
          <Pill tone={TONES[outcome]}>{t(`import.outcome.${outcome}`)}</Pill>
        </span>
      ))}
    </div>
  )
}

interface ImportRowsProps {
  result: ImportResult
  /** The lines as they stand in the table, for those that failed. */
  records: readonly { line: number; text: string }[]
  /** It has been done, not only looked at. */
  done?: boolean
}

/** What comes of each line; an error stands with the text that it is about. */
export function ImportRows({ result, records, done = false }: ImportRowsProps) {
  const { t } = useTranslation()
  const [outcome, setOutcome] = useState<Outcome | 'all'>(result.failed > 0 ? 'failed' : 'all')
  const [shown, setShown] = useState(STEP)
  const texts = new Map(records.map(({ line, text }) => [line, text]))
  const rows = result.rows.filter((row) => outcome === 'all' || row.outcome === outcome)
  const columns: Column<ImportedRow>[] = [
    { id: 'line', header: t('import.line'), cell: ({ line }) => line },
    {
      id: 'name',
      header: t('devices.name'),
      cell: ({ name, device_id: id }) =>
        id && (done || name) ? (
          <Link to="/devices/$deviceId" params={{ deviceId: id }}>
            {name || id}
          </Link>
        ) : (
          name || null
        ),
    },
    {
      id: 'outcome',
      header: t(done ? 'import.became' : 'import.would'),
      cell: (row) => <Pill tone={TONES[row.outcome]}>{t(`import.outcome.${row.outcome}`)}</Pill>,
    },
    {
      id: 'errors',
      header: t('import.why'),
      cell: ({ errors, line }) =>
        errors.length === 0 ? null : (
          <>
            <code className={css.line}>{texts.get(line)}</code>
            {errors.map((error) => (
              <div key={error} className={css.error}>
                {error}
              </div>
            ))}
          </>
        ),
    },
  ]
  if (result.rows.length === 0) return null
  return (
    <>
      <div className={css.show}>
        <SegmentedControl
          size="xs"
          aria-label={t('import.show')}
          value={outcome}
          onChange={(value) => {
            setOutcome(value as Outcome)
            setShown(STEP)
          }}
          data={[
            { value: 'all', label: t('devices.all') },
            ...OUTCOMES.filter((each) => result[each] > 0).map((value) => ({
              value,
              label: t(`import.outcome.${value}`),
            })),
          ]}
        />
      </div>
      <Table
        label={t('import.plan')}
        columns={columns}
        rows={rows.slice(0, shown)}
        rowKey={({ line }) => String(line)}
      />
      {rows.length > shown && (
        <div className={css.more}>
          <Button variant="subtle" onClick={() => setShown(shown + STEP)}>
            {t('import.more', { count: rows.length - shown })}
          </Button>
        </div>
      )}
    </>
  )
}
