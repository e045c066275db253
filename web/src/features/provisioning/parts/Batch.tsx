import { Button } from '@mantine/core'
import { IconDownload, IconPrinter } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { exact } from '@/lib/format'
import { instanceQuery } from '@/lib/instance'
import { saveFile } from '@/lib/save-file'
import { Lines, Note, Panel } from '@/ui'
import { QrCode } from '@/ui/QrCode'
import { cloudAddress, codesCsv } from '../model'
import type { MadeCode } from '../queries'
import css from './labels.module.css'

/**
 * Codes that were just made, while they can be seen: as a file, and as a sheet of labels. The sheet is what this page
 * prints: everything else on it is left out.
 */
export function Batch({ codes, onDone }: { codes: readonly MadeCode[]; onDone: () => void }) {
  const { t, i18n } = useTranslation()
  const { data: instance } = useQuery(instanceQuery)
  return (
    <section className={css.batch} aria-label={t('codes.made', { count: codes.length })}>
      <Panel
        title={t('codes.made', { count: codes.length })}
        actions={
          <>
            <Button
              size="compact-md"
              variant="default"
              leftSection={<IconDownload size={15} />}
              onClick={() => saveFile('provisioning-codes.csv', codesCsv(codes), 'text/csv')}
            >
              {t('codes.csv')}
            </Button>
            <Button
              size="compact-md"
              variant="default"
              leftSection={<IconPrinter size={15} />}
              disabled={!instance}
              onClick={() => window.print()}
            >
              {t('codes.print')}
            </Button>
            <Button size="compact-md" onClick={onDone}>
              {t('mfa.keptThem')}
            </Button>
          </>
        }
      >
        <Note tone="wait" title={t('codes.once')}>
          {t('codes.onceHint')}
        </Note>
        {instance ? (
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
          <ol className={css.sheet} tabIndex={0}>
            {codes.map((code) => (
              <li key={code.id} className={css.label}>
                <QrCode
                  text={code.claim_url}
                  label={t('codes.qrOf', { code: code.code })}
                  size={104}
                />
                <div>
                  <strong className={css.code}>{code.code}</strong>
                  {code.name && <span>{code.name}</span>}
                  <span>{cloudAddress(instance.public_url)?.authority ?? instance.name}</span>
                  <span>{t('codes.until', { time: exact(code.expires_at, i18n.language) })}</span>
                </div>
              </li>
            ))}
          </ol>
        ) : (
          <Lines />
        )}
      </Panel>
    </section>
  )
}
