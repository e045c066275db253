import { Button, PasswordInput, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Refused } from '@/ui'
import css from './account.module.css'

interface ProofFormProps {
  action: string
  hint: string
  danger?: boolean
  pending: boolean
  error: unknown
  onProof: (proof: { password: string; code: string }) => void
  onCancel: () => void
}

/** Password and code once more, before the second factor is touched. */
export function ProofForm({
  action,
  hint,
  danger = false,
  pending,
  error,
  onProof,
  onCancel,
}: ProofFormProps) {
  const { t } = useTranslation()
  const [password, setPassword] = useState('')
  const [code, setCode] = useState('')
  return (
    <form
      className={css.form}
      onSubmit={(event) => {
        event.preventDefault()
        onProof({ password, code: code.trim() })
      }}
    >
      <p className={css.text}>{hint}</p>
      <PasswordInput
        label={t('auth.password')}
        autoComplete="current-password"
        value={password}
        onChange={(event) => setPassword(event.currentTarget.value)}
        visibilityToggleButtonProps={{ 'aria-label': t('auth.showPassword') }}
        required
        withAsterisk={false}
        autoFocus
      />
      <TextInput
        label={t('auth.code')}
        description={t('auth.codeHint')}
        autoComplete="one-time-code"
        value={code}
        onChange={(event) => setCode(event.currentTarget.value)}
        minLength={6}
        maxLength={32}
        required
        withAsterisk={false}
      />
      {error != null && <Refused error={error} />}
      <div className={css.buttons}>
        <Button type="submit" loading={pending} {...(danger ? { color: 'brick' } : {})}>
          {action}
        </Button>
        <Button variant="default" onClick={onCancel}>
          {t('ui.cancel')}
        </Button>
      </div>
    </form>
  )
}
