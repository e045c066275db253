import { Button, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Refused } from '@/ui'
import css from './login.module.css'

interface CodeStepProps {
  pending: boolean
  error: unknown
  onCode: (code: string) => void
  onBack: () => void
}

/** The second step of a log-in: a code of the authenticator, or a recovery code in the same field. */
export function CodeStep({ pending, error, onCode, onBack }: CodeStepProps) {
  const { t } = useTranslation()
  const [code, setCode] = useState('')
  return (
    <form
      className={css.form}
      onSubmit={(event) => {
        event.preventDefault()
        onCode(code.trim())
      }}
    >
      <TextInput
        label={t('auth.code')}
        description={t('auth.codeHint')}
        name="code"
        // Not `numeric`: a recovery code has letters.
        autoComplete="one-time-code"
        autoCapitalize="none"
        spellCheck={false}
        size="md"
        value={code}
        onChange={(event) => setCode(event.currentTarget.value)}
        required
        withAsterisk={false}
        autoFocus
        maxLength={32}
      />
      {error != null && <Refused error={error} />}
      <Button type="submit" size="md" loading={pending} fullWidth>
        {t('auth.signIn')}
      </Button>
      <Button variant="subtle" onClick={onBack}>
        {t('auth.otherAccount')}
      </Button>
    </form>
  )
}
