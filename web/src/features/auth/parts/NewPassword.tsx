import { PasswordInput, type PasswordInputProps } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useId } from 'react'
import { useTranslation } from 'react-i18next'
import { strengthQuery } from '../queries'
import css from './login.module.css'

interface NewPasswordProps {
  label: string
  value: string
  onValue: (value: string) => void
  /** What is easy to guess in it: whose it is. */
  email?: string
  words?: string[]
  size?: PasswordInputProps['size']
  autoFocus?: boolean
}

const TYPING_MS = 300
const SEGMENTS = [1, 2, 3, 4]

/** A field for a password that is being chosen, with how hard it would be to guess as the server sees it. */
export function NewPassword({
  label,
  value,
  onValue,
  email = '',
  words = [],
  size,
  autoFocus,
}: NewPasswordProps) {
  const { t } = useTranslation()
  const id = useId()
  const [asked] = useDebouncedValue(value, TYPING_MS)
  const { data } = useQuery(strengthQuery(asked, email, words))
  const strength = asked === value ? data : undefined
  const said = strength?.refusal ?? strength?.warning ?? strength?.suggestions[0]
  return (
    <div>
      <PasswordInput
        label={label}
        autoComplete="new-password"
        {...(size ? { size } : {})}
        value={value}
        onChange={(event) => onValue(event.currentTarget.value)}
        visibilityToggleButtonProps={{ 'aria-label': t('auth.showPassword') }}
        aria-describedby={id}
        required
        withAsterisk={false}
        {...(autoFocus ? { 'data-autofocus': true, autoFocus } : {})}
      />
      <div id={id} className={css.strength} data-score={strength?.score} aria-live="polite">
        {strength && (
          <>
            <span className={css.bars} aria-hidden>
              {SEGMENTS.map((each) => (
                <span key={each} data-on={strength.score >= each || undefined} />
              ))}
            </span>
            <span>
              {t(`auth.strength.${strength.score as 0 | 1 | 2 | 3 | 4}`)}
              {said && <span className="quiet"> · {said}</span>}
            </span>
          </>
        )}
      </div>
    </div>
  )
}
