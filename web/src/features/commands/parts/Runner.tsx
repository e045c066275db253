import { Button, NumberInput, Select, TextInput } from '@mantine/core'
import { IconPlayerPlay } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { type JsonObject, parseObject, pretty } from '@/lib/json'
import { isProblem } from '@/lib/problem'
import { Note, Panel, Refused } from '@/ui'
import { ACTION_NAMES, type Action, blankPayload, CUSTOM, fieldsOf } from '../model'
import { useRunCommand } from '../queries'
import css from './commands.module.css'
import { PayloadFields } from './PayloadFields'

const TIMEOUT_S = 30
const DAY_S = 86_400

interface RunnerProps {
  deviceId: string
  onStarted: (commandId: string) => void
}

/** Picks an action, fills its payload as a form or as JSON, and sends it. */
export function Runner({ deviceId, onStarted }: RunnerProps) {
  const { t } = useTranslation()
  const [choice, setChoice] = useState<string>('health_check')
  const [name, setName] = useState('')
  const [text, setText] = useState('{}')
  const [timeout, setTimeout] = useState<number>(TIMEOUT_S)
  const [ttl, setTtl] = useState('0')
  const run = useRunCommand(deviceId)

  const action = choice === CUSTOM ? name.trim() : choice
  const takesPayload = choice === CUSTOM || fieldsOf(choice).length > 0
  const payload = takesPayload
    ? parseObject(text)
    : ({ ok: true, value: {} as JsonObject } as const)

  const choose = (value: string | null) => {
    if (!value) return
    setChoice(value)
    setText(pretty(blankPayload(value)))
    run.reset()
  }
  const send = (keepFor = Number(ttl)) => {
    if (!payload.ok || action === '') return
    run.mutate(
      { action, payload: payload.value, timeout, ttl: keepFor || undefined },
      { onSuccess: (command) => onStarted(command.id) },
    )
  }

  return (
    <Panel title={t('commands.run')}>
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault()
          send()
        }}
      >
        <Select
          label={t('commands.action')}
          description={
            choice === CUSTOM ? t('commands.customHint') : t(`commands.does.${choice as Action}`)
          }
          data={[
            ...ACTION_NAMES.map((value) => ({ value, label: value })),
            { value: CUSTOM, label: t('commands.custom') },
          ]}
          value={choice}
          onChange={choose}
          searchable
          allowDeselect={false}
        />
        {choice === CUSTOM && (
          <TextInput
            label={t('commands.customName')}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            required
          />
        )}
        {takesPayload && (
          <PayloadFields key={choice} action={choice} text={text} onText={setText} />
        )}
        <div className={css.pair}>
          <NumberInput
            label={t('commands.timeout')}
            suffix=" s"
            min={1}
            max={600}
            value={timeout}
            onChange={(value) => setTimeout(Number(value) || TIMEOUT_S)}
          />
          <Select
            label={t('commands.away')}
            data={[
              { value: '0', label: t('commands.refuse') },
              { value: '3600', label: t('commands.keepHour') },
              { value: String(DAY_S), label: t('commands.keepDay') },
              { value: String(7 * DAY_S), label: t('commands.keepWeek') },
            ]}
            value={ttl}
            onChange={(value) => setTtl(value ?? '0')}
            allowDeselect={false}
          />
        </div>
        {isProblem(run.error, 'device_offline') ? (
          <Note tone="wait" title={t('commands.isAway')} role="alert">
            <p style={{ margin: '2px 0 8px' }}>{t('commands.isAwayHint')}</p>
            <Button
              size="compact-sm"
              variant="default"
              onClick={() => {
                setTtl(String(DAY_S))
                send(DAY_S)
              }}
            >
              {t('commands.keepForDay')}
            </Button>
          </Note>
        ) : (
          run.isError && <Refused error={run.error} />
        )}
        <Button
          type="submit"
          loading={run.isPending}
          disabled={!payload.ok || action === ''}
          leftSection={<IconPlayerPlay size={15} />}
        >
          {t('commands.send')}
        </Button>
      </form>
    </Panel>
  )
}
