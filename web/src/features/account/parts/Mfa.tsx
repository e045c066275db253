import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { profileQuery } from '@/features/auth'
import { Dot, Note, Reading } from '@/ui'
import { useDisableMfa, useRenewCodes } from '../queries'
import css from './account.module.css'
import { ProofForm } from './ProofForm'
import { RecoveryCodes } from './RecoveryCodes'
import { SetUpMfa } from './SetUpMfa'

const FEW = 3
type Step = 'set-up' | 'disable' | 'renew' | null

/** The second factor: its state, and the ways to set it up, switch it off, and get new recovery codes. */
export function Mfa() {
  const { t } = useTranslation()
  const profile = useQuery(profileQuery)
  const [step, setStep] = useState<Step>(null)
  // Shown once: they live as long as this page.
  const [codes, setCodes] = useState<string[] | null>(null)
  const disable = useDisableMfa()
  const renew = useRenewCodes()
  const show = (fresh: string[]) => {
    setCodes(fresh)
    setStep(null)
  }

  if (codes) return <RecoveryCodes codes={codes} onDone={() => setCodes(null)} />
  if (step === 'set-up') return <SetUpMfa onCodes={show} onCancel={() => setStep(null)} />
  return (
    <Reading query={profile}>
      {({ mfa_enabled, recovery_codes_left }) => (
        <div className={css.stack}>
          <p className={css.state} role="status">
            <Dot tone={mfa_enabled ? 'good' : 'off'} />
            {t(mfa_enabled ? 'mfa.isOn' : 'mfa.isOff')}
          </p>
          <p className={css.text}>{t(mfa_enabled ? 'mfa.onHint' : 'mfa.offHint')}</p>
          {mfa_enabled && recovery_codes_left !== null && (
            <Note tone={recovery_codes_left < FEW ? 'wait' : 'plain'}>
              {t('mfa.codesLeft', { count: recovery_codes_left })}
            </Note>
          )}
          {step === null && (
            <div className={css.buttons}>
              {mfa_enabled ? (
                <>
                  <Button variant="default" onClick={() => setStep('renew')}>
                    {t('mfa.renew')}
                  </Button>
                  <Button variant="default" onClick={() => setStep('disable')}>
                    {t('mfa.disable')}
                  </Button>
                </>
              ) : (
                <Button onClick={() => setStep('set-up')}>{t('mfa.enable')}</Button>
              )}
            </div>
          )}
          {step === 'renew' && (
            <ProofForm
              action={t('mfa.renew')}
              hint={t('mfa.renewHint')}
              pending={renew.isPending}
              error={renew.error}
              onProof={(proof) => renew.mutate(proof, { onSuccess: show })}
              onCancel={() => setStep(null)}
            />
          )}
          {step === 'disable' && (
            <ProofForm
              danger
              action={t('mfa.disable')}
              hint={t('mfa.disableHint')}
              pending={disable.isPending}
              error={disable.error}
              onProof={(proof) => disable.mutate(proof, { onSuccess: () => setStep(null) })}
              onCancel={() => setStep(null)}
            />
          )}
        </div>
      )}
    </Reading>
  )
}
