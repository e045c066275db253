import { ActionIcon, Button, Tooltip } from '@mantine/core'
import { IconCheck, IconCopy } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { copyText } from '@/lib/clipboard'
import css from './ui.module.css'

const SHOWN_MS = 1_600

function useCopy(text: string) {
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return
    const timer = setTimeout(() => setCopied(false), SHOWN_MS)
    return () => clearTimeout(timer)
  }, [copied])
  return { copied, copy: () => void copyText(text).then(setCopied) }
}

/** An icon button that copies; `label` says what ("Copy the device id"). */
export function CopyIcon({ text, label }: { text: string; label: string }) {
  const { t } = useTranslation()
  const { copied, copy } = useCopy(text)
  return (
    <Tooltip label={copied ? t('ui.copied') : label}>
      <ActionIcon size="sm" onClick={copy} aria-label={label} color={copied ? 'moss' : 'gray'}>
        {copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
      </ActionIcon>
    </Tooltip>
  )
}

/** A line to be pasted elsewhere, with its button. */
export function CodeLine({ text, label }: { text: string; label: string }) {
  const { t } = useTranslation()
  const { copied, copy } = useCopy(text)
  return (
    <div className={css.codeLine}>
      <code>{text}</code>
      <Button
        size="compact-xs"
        variant="default"
        mt={3}
        onClick={copy}
        aria-label={label}
        leftSection={copied ? <IconCheck size={13} /> : <IconCopy size={13} />}
      >
        {copied ? t('ui.copied') : t('ui.copy')}
      </Button>
    </div>
  )
}
