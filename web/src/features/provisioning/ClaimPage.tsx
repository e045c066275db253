import { Button, TextInput } from '@mantine/core'
import { IconArrowRight } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { MayNot, useMay } from '@/features/auth'
import { forgetClaimCode, keptClaimCode } from '@/lib/claim-code'
import { crumbClass, Lines, Note, PageHead, Panel } from '@/ui'
import { hintOf, type ProvisioningCode } from './model'
import { ClaimForm } from './parts/ClaimForm'
import { CodeSteps } from './parts/CodeSteps'
import css from './parts/provisioning.module.css'
import { ownCodeQuery, useRememberSecret } from './queries'

/**
 * What a code is good for. One of ours lets a new board in, or has done so; any other takes over a device that its
 * organization has released. Each way ends on the device's page.
 */
export function ClaimPage() {
  const { t } = useTranslation()
  const may = useMay('devices:manage')
  const [code, setCode] = useState(keptClaimCode)
  const ask = (next: string) => {
    forgetClaimCode()
    setCode(next)
  }
  return (
    <>
      <PageHead
        title={t('claim.title')}
        lead={t('claim.lead')}
        crumb={
          <Link to="/devices" className={crumbClass}>
            {t('devices.title')}
          </Link>
        }
      />
      <MayNot permission="devices:manage" toDo={t('provisioning.mayNot')} />
      {may &&
        (code ? (
          <Found key={code} code={code} onAnother={() => ask('')} />
        ) : (
          <CodeEntry onCode={ask} />
        ))}
    </>
  )
}

/** Without a scanned label: the code as it is printed. */
function CodeEntry({ onCode }: { onCode: (code: string) => void }) {
  const { t } = useTranslation()
  const [typed, setTyped] = useState('')
  return (
    <Panel title={t('claim.enter')}>
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault()
          if (typed.trim()) onCode(typed.trim())
        }}
      >
        <TextInput
          label={t('claim.code')}
          description={t('claim.codeHint')}
          placeholder="PROV-A1B2-C3D4"
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          maxLength={100}
          autoComplete="off"
          data-autofocus
        />
        <div>
          <Button type="submit" disabled={typed.trim() === ''}>
            {t('claim.next')}
          </Button>
        </div>
      </form>
    </Panel>
  )
}

interface FoundProps {
  code: string
  onAnother: () => void
}

function Found({ code, onAnother }: FoundProps) {
  const { t } = useTranslation()
  const own = useQuery(ownCodeQuery(hintOf(code)))
  const [foreign, setForeign] = useState(false)
  if (own.isPending) {
    return (
      <Panel title={t('claim.title')}>
        <Lines count={3} />
      </Panel>
    )
  }
  // That our own codes cannot be read is no reason to stop: the server knows what the code is.
  if (!own.data || foreign) return <ClaimForm code={code} onAnother={onAnother} />
  return (
    <div className={css.stack}>
      {own.data.device_id ? (
        <AlreadyHere found={own.data} />
      ) : (
        <WaitsForDevice found={own.data} code={code} onAnother={onAnother} />
      )}
      <div>
        <Button variant="subtle" size="compact-sm" onClick={() => setForeign(true)}>
          {t('claim.notThis')}
        </Button>
      </div>
    </div>
  )
}

function AlreadyHere({ found }: { found: ProvisioningCode }) {
  const { t } = useTranslation()
  return (
    <Note tone="good" role="status" title={t('claim.here', { hint: found.hint })}>
      {t('claim.hereHint')}
      <div className={css.arrived}>
        <Button
          size="compact-md"
          renderRoot={(props) => (
            <Link
              to="/devices/$deviceId"
              params={{ deviceId: found.device_id ?? '' }}
              onClick={forgetClaimCode}
              {...props}
            />
          )}
          rightSection={<IconArrowRight size={15} />}
        >
          {t('provisioning.open')}
        </Button>
      </div>
    </Note>
  )
}

interface WaitsForDeviceProps extends FoundProps {
  found: ProvisioningCode
}

function WaitsForDevice({ found, code, onAnother }: WaitsForDeviceProps) {
  const { t } = useTranslation()
  useRememberSecret(found.id, code)
  return (
    <>
      <Note role="status" title={t('claim.waits', { hint: found.hint })}>
        {t('claim.waitsHint')}
      </Note>
      <CodeSteps codeId={found.id} onAgain={onAnother} againLabel={t('claim.another')} />
    </>
  )
}
