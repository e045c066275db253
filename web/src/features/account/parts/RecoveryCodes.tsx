import { Button } from '@mantine/core'
import { IconCheck, IconCopy, IconDownload } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { copyText } from '@/lib/clipboard'
import { saveFile } from '@/lib/save-file'
import { Note } from '@/ui'
import css from './account.module.css'

/** Ten codes that are shown this once. The way on opens when they were copied, saved, or said to be written down. */
export function RecoveryCodes({ codes, onDone }: { codes: string[]; onDone: () => void }) {
  const { t } = useTranslation()
  const [copied, setCopied] = useState(false)
  const text = `${codes.join('\n')}\n`
  return (
    <div className={css.stack}>
      <Note tone="wait" title={t('mfa.keepCodes')} role="status">
        {t('mfa.keepCodesHint')}
      </Note>
      <ul className={css.codes} aria-label={t('mfa.codes')} data-testid="recovery-codes">
        {codes.map((code) => (
          <li key={code} className="mono">
            {code}
          </li>
        ))}
      </ul>
      <div className={css.buttons}>
        <Button
          variant="default"
          leftSection={copied ? <IconCheck size={15} /> : <IconCopy size={15} />}
          onClick={() => void copyText(text).then(setCopied)}
        >
          {t(copied ? 'ui.copied' : 'ui.copy')}
        </Button>
        <Button
          variant="default"
          leftSection={<IconDownload size={15} />}
          onClick={() => saveFile('edgeflow-recovery-codes.txt', text, 'text/plain')}
        >
          {t('ui.download')}
        </Button>
        <Button onClick={onDone}>{t('mfa.keptThem')}</Button>
      </div>
    </div>
  )
}
