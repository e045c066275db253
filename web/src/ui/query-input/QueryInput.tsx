import { CloseButton } from '@mantine/core'
import { type KeyboardEvent, type ReactNode, useId, useRef, useState } from 'react'
import { type Completion, complete, completionsAt, type QueryField } from './completion'
import css from './query-input.module.css'

interface QueryInputProps {
  label: string
  placeholder: string
  clearLabel: string
  value: string
  onChange: (text: string) => void
  /** Enter with no completion chosen. */
  onSubmit?: () => void
  fields: readonly QueryField[]
  /** The server's picture of what is wrong: the text, and a caret under the place. */
  fault?: { message: string; picture: string } | null
  icon?: ReactNode
}

/** A line in a query language: it offers what may come next, and shows where a mistake is. */
export function QueryInput(props: QueryInputProps) {
  const { label, placeholder, value, onChange, onSubmit, fields, fault, icon } = props
  const id = useId()
  const input = useRef<HTMLInputElement>(null)
  const [open, setOpen] = useState(false)
  const [chosen, setChosen] = useState(-1)
  const [caret, setCaret] = useState(value.length)
  const found = completionsAt(value, Math.min(caret, value.length), fields)
  const shown = open && found.options.length > 0

  const follow = () => setCaret(input.current?.selectionStart ?? value.length)
  const take = (option: Completion) => {
    const next = complete(value, found, option)
    onChange(next.text)
    setCaret(next.caret)
    setChosen(-1)
    setOpen(true)
    // After React has put the text there.
    requestAnimationFrame(() => {
      input.current?.focus()
      input.current?.setSelectionRange(next.caret, next.caret)
    })
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const { key } = event
    const count = found.options.length
    if (key === 'ArrowDown' || key === 'ArrowUp') {
      if (count === 0) return
      event.preventDefault()
      setOpen(true)
      const step = key === 'ArrowDown' ? 1 : -1
      setChosen(shown ? (chosen + step + count + (chosen < 0 && step < 0 ? 1 : 0)) % count : 0)
      return
    }
    if (key === 'Escape' && shown) {
      event.preventDefault()
      setOpen(false)
      return
    }
    const option = found.options[chosen]
    if (shown && option && (key === 'Enter' || key === 'Tab')) {
      event.preventDefault()
      take(option)
      return
    }
    if (key === 'Enter') {
      setOpen(false)
      onSubmit?.()
    }
  }

  return (
    <div className={css.field}>
      <div className={css.box} data-invalid={fault ? true : undefined}>
        {icon && <span className={css.icon}>{icon}</span>}
        <input
          ref={input}
          className={css.input}
          type="text"
          role="combobox"
          aria-label={label}
          aria-expanded={shown}
          aria-controls={`${id}-list`}
          aria-autocomplete="list"
          aria-activedescendant={shown && chosen >= 0 ? `${id}-${chosen}` : undefined}
          aria-invalid={fault ? true : undefined}
          aria-describedby={fault ? `${id}-fault` : undefined}
          placeholder={placeholder}
          value={value}
          spellCheck={false}
          autoComplete="off"
          autoCapitalize="off"
          onChange={(event) => {
            onChange(event.currentTarget.value)
            setCaret(event.currentTarget.selectionStart ?? event.currentTarget.value.length)
            setOpen(true)
            setChosen(-1)
          }}
          onKeyDown={onKeyDown}
          onKeyUp={follow}
          onClick={() => {
            follow()
            setOpen(true)
          }}
          onBlur={() => setOpen(false)}
        />
        {value !== '' && (
          <CloseButton
            size="sm"
            aria-label={props.clearLabel}
            onClick={() => {
              onChange('')
              input.current?.focus()
            }}
          />
        )}
      </div>
      {shown && (
        <div id={`${id}-list`} role="listbox" aria-label={label} className={css.list}>
          {found.options.map((option, index) => (
            // biome-ignore lint/a11y/useFocusableInteractive: the input keeps the focus and names the chosen one
            // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are the input's
            <div
              role="option"
              key={option.text}
              id={`${id}-${index}`}
              aria-selected={index === chosen}
              className={css.option}
              // The input would lose its focus, and close this, before the click.
              onMouseDown={(event) => event.preventDefault()}
              onClick={() => take(option)}
            >
              <span className={css.text} data-kind={option.kind}>
                {option.text}
              </span>
              {option.detail && <span className={css.detail}>{option.detail}</span>}
            </div>
          ))}
        </div>
      )}
      {fault && (
        <div id={`${id}-fault`} role="alert" className={css.fault}>
          <span>{fault.message}</span>
          <pre>{fault.picture}</pre>
        </div>
      )}
    </div>
  )
}
