import { Button, Group } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { MayNot, useMay } from '@/features/auth'
import { instanceQuery } from '@/lib/instance'
import { crumbClass, Note, PageHead } from '@/ui'
import { CodeForm } from './parts/CodeForm'
import { CodeSteps } from './parts/CodeSteps'
import { OpenCodes } from './parts/OpenCodes'
import css from './parts/provisioning.module.css'

interface AddDevicePageProps {
  /** The code on screen, by its id; part of the address so that a reload still waits for its device. */
  codeId: string | undefined
  onCode: (codeId: string | undefined) => void
}

export function AddDevicePage({ codeId, onCode }: AddDevicePageProps) {
  const { t } = useTranslation()
  const may = useMay('devices:manage')
  return (
    <>
      <PageHead
        title={t('provisioning.title')}
        lead={t('provisioning.lead')}
        crumb={
          <Link to="/devices" className={crumbClass}>
            {t('devices.title')}
          </Link>
        }
        actions={
          <Group gap={8}>
            <Button
              variant="default"
              renderRoot={(props) => <Link to="/devices/claim" {...props} />}
            >
              {t('claim.have')}
            </Button>
            <Button
              variant="default"
              renderRoot={(props) => <Link to="/devices/codes" {...props} />}
            >
              {t('codes.title')}
            </Button>
          </Group>
        }
      />
      <MayNot permission="devices:manage" toDo={t('provisioning.mayNot')} />
      {may && <LoopbackWarning />}
      {may && (
        <div className={css.page}>
          {codeId ? (
            <CodeSteps key={codeId} codeId={codeId} onAgain={() => onCode(undefined)} />
          ) : (
            <CodeForm onCreated={onCode} />
          )}
          <OpenCodes openId={codeId} onOpen={onCode} />
        </div>
      )}
    </>
  )
}

/** A server that listens on this machine only cannot be reached by boards: say it before they are tried. */
function LoopbackWarning() {
  const { t } = useTranslation()
  const { data: instance } = useQuery(instanceQuery)
  if (!instance?.loopback_only) return null
  return (
    <div className={css.warning}>
      <Note tone="wait" title={t('provisioning.loopback')} role="status">
        {t('provisioning.loopbackHint')}
        <pre className={css.env}>
          {`EDGEFLOW_HOST=0.0.0.0\nEDGEFLOW_PUBLIC_URL=http://${t('provisioning.thisMachine')}:${portOf(instance.public_url)}`}
        </pre>
      </Note>
    </div>
  )
}

function portOf(url: string): string {
  try {
    return new URL(url).port || '8000'
  } catch {
    return '8000'
  }
}
