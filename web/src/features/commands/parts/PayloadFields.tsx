import { Button, NumberInput, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { isObject, type Json, type JsonObject, parseObject, pretty } from '@/lib/json'
import { JsonEditor } from '@/ui/json-editor'
import { CUSTOM, type Field, fieldsOf } from '../model'
import css from './commands.module.css'

interface PayloadFieldsProps {
  action: string
  /** The payload as JSON text: the one truth of both ways to fill it in. */
  text: string
  onText: (text: string) => void
}

export function PayloadFields({ action, text, onText }: PayloadFieldsProps) {
  const { t } = useTranslation()
  const fields = fieldsOf(action)
  const [asJson, setAsJson] = useState(action === CUSTOM)
  const parsed = parseObject(text)
  const value: JsonObject = parsed.ok ? parsed.value : {}
  const set = (name: string, next: Json) => onText(pretty({ ...value, [name]: next }))

  return (
    <div>
      <div className={css.label}>
        <span>{t('commands.payload')}</span>
        {fields.length > 0 && (
          <Button
            size="compact-xs"
            variant="subtle"
            // Text that is not an object has no form to go back to.
            disabled={asJson && !parsed.ok}
            onClick={() => setAsJson(!asJson)}
          >
            {asJson ? t('commands.asForm') : t('commands.asJson')}
          </Button>
        )}
      </div>
      {asJson || fields.length === 0 ? (
        <>
          <JsonEditor
            label={t('commands.payloadLabel')}
            value={text}
            onChange={onText}
            minHeight={120}
            invalid={!parsed.ok}
          />
          {!parsed.ok && (
            <span role="status" style={{ color: 'var(--brick)', fontSize: 12 }}>
              {t(`shadows.invalid.${parsed.reason}`)}
            </span>
          )}
        </>
      ) : (
        <div className={css.form}>
          {fields.map((field) => (
            <FieldInput
              key={field.name}
              field={field}
              value={value[field.name]}
              onChange={(next) => set(field.name, next)}
            />
          ))}
        </div>
      )}
    </div>
  )
}

interface FieldInputProps {
  field: Field
  value: Json | undefined
  onChange: (value: Json) => void
}

function FieldInput({ field, value, onChange }: FieldInputProps) {
  const [text, setText] = useState(() => pretty(value ?? {}))
  switch (field.kind) {
    case 'text':
      return (
        <TextInput
          label={field.name}
          value={typeof value === 'string' ? value : ''}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      )
    case 'number':
      return (
        <NumberInput
          label={field.name}
          value={typeof value === 'number' ? value : ''}
          onChange={(next) => onChange(Number(next))}
        />
      )
    case 'json':
      return (
        <JsonEditor
          label={field.name}
          minHeight={120}
          value={text}
          onChange={(next) => {
            setText(next)
            const parsed = parseObject(next)
            if (parsed.ok && isObject(parsed.value)) onChange(parsed.value)
          }}
        />
      )
  }
}
