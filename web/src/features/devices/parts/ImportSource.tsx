import { Button, FileButton, Textarea } from '@mantine/core'
import { IconDownload, IconFileImport } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { saveFile } from '@/lib/save-file'
import { Panel } from '@/ui'
import { decoded } from '../csv'
import css from './import.module.css'

interface ImportSourceProps {
  csv: string
  onCsv: (csv: string) => void
  onCheck: (csv: string) => void
  pending: boolean
  /** What stands there was checked as it is. */
  checked: boolean
}

/** The heading names the columns; what is left out of a table is left as it is. */
export const EXAMPLE =
  'name,tags,notes,place,group,project\nOven 4,line-3 bakery,New door in May,Hall 7,Ovens,Plant North\n'

/** A table from a file, dropped or pasted, to be mended in place. */
export function ImportSource({ csv, onCsv, onCheck, pending, checked }: ImportSourceProps) {
  const { t } = useTranslation()
  const [over, setOver] = useState(false)
  const take = async (file: File | null | undefined) => {
    if (file) onCheck(decoded(await file.arrayBuffer()))
  }
  return (
    <Panel
      title={t('import.table')}
      actions={
        <>
          <Button
            size="compact-sm"
            variant="subtle"
            leftSection={<IconDownload size={14} />}
            onClick={() => saveFile('devices.csv', EXAMPLE, 'text/csv')}
          >
            {t('import.example')}
          </Button>
          <FileButton accept=".csv,text/csv,text/plain" onChange={(file) => void take(file)}>
            {(props) => (
              <Button
                size="compact-sm"
                variant="default"
                leftSection={<IconFileImport size={14} />}
                {...props}
              >
                {t('import.choose')}
              </Button>
            )}
          </FileButton>
        </>
      }
    >
      <form
        className={css.source}
        data-over={over || undefined}
        onSubmit={(event) => {
          event.preventDefault()
          onCheck(csv)
        }}
        onDragOver={(event) => {
          event.preventDefault()
          setOver(true)
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault()
          setOver(false)
          void take(event.dataTransfer.files[0])
        }}
      >
        <Textarea
          label={t('import.paste')}
          description={t('import.columns')}
          placeholder={EXAMPLE}
          value={csv}
          onChange={(event) => onCsv(event.currentTarget.value)}
          rows={8}
          resize="vertical"
          spellCheck={false}
          classNames={{ input: css.text ?? '' }}
        />
        <div>
          <Button type="submit" loading={pending} disabled={csv.trim() === '' || checked}>
            {t('import.check')}
          </Button>
        </div>
      </form>
    </Panel>
  )
}
