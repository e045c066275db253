import { Button, PasswordInput, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { MfaSetupDocument } from '@/api/generated'
import { CodeLine, Refused } from '@/ui'
import { QrCode } from '@/ui/QrCode'
import { useConfirmMfa, useEnableMfa } from '../queries'
import css from './account.module.css'

interface SetUpMfaProps {
  onCodes: (recoveryCodes: string[]) => void
  onCancel: () => void
}

/** Three steps: the password once more, the secret into an authenticator, a code of it as proof. */
export function SetUpMfa({ onCodes, onCancel }: SetUpMfaProps) {
  const { t } = useTranslation()
  const [password, setPassword] = useState('')
  const enable = useEnableMfa()
  if (enable.data) {
    return <ConfirmStep setup={enable.data} onCodes={onCodes} onCancel={onCancel} />
  }
  return (
    <form
      className={css.form}
      onSubmit={(event) => {
        event.preventDefault()
        enable.mutate(password)
      }}
    >
      <p className={css.text}>{t('mfa.passwordFirst')}</p>
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
      {enable.isError && <Refused error={enable.error} />}
      <Buttons action={t('mfa.continue')} pending={enable.isPending} onCancel={onCancel} />
    </form>
  )
}

function ConfirmStep({ setup, onCodes, onCancel }: SetUpMfaProps & { setup: MfaSetupDocument }) {
  const { t } = useTranslation()
  const [code, setCode] = useState('')
  const confirm = useConfirmMfa()
  return (
    <form
      className={css.form}
      onSubmit={(event) => {
        event.preventDefault()
        confirm.mutate(code.trim(), { onSuccess: onCodes })
      }}
    >
      <p className={css.text}>{t('mfa.scan')}</p>
      <div className={css.qr}>
        <QrCode text={setup.otpauth_uri} label={t('mfa.qr')} size={184} />
      </div>
      <div>
        <p className={css.text}>{t('mfa.orType')}</p>
        <CodeLine text={setup.secret} label={t('mfa.copySecret')} />
      </div>
      <TextInput
        label={t('mfa.firstCode')}
        description={t('mfa.firstCodeHint')}
        inputMode="numeric"
        autoComplete="one-time-code"
        value={code}
        onChange={(event) => setCode(event.currentTarget.value)}
        minLength={6}
        maxLength={10}
        required
        withAsterisk={false}
        autoFocus
      />
      {confirm.isError && <Refused error={confirm.error} />}
      <Buttons action={t('mfa.confirm')} pending={confirm.isPending} onCancel={onCancel} />
    </form>
  )
}

interface ButtonsProps {
  action: string
  pending: boolean
  onCancel: () => void
}

function Buttons({ action, pending, onCancel }: ButtonsProps) {
  const { t } = useTranslation()
  return (
    <div className={css.buttons}>
      <Button type="submit" loading={pending}>
        {action}
      </Button>
      <Button variant="default" onClick={onCancel}>
        {t('ui.cancel')}
      </Button>
    </div>
  )
}
