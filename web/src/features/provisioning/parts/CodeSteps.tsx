import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { instanceQuery } from '@/lib/instance'
import { usePollWhenNotLive } from '@/lib/live'
import { CodeLine, CopyIcon, Failed, Lines, Note, Panel, RelativeTime } from '@/ui'
import { QrCode } from '@/ui/QrCode'
import { agentLine, type ProvisioningCode } from '../model'
import { codeQuery, secretQuery } from '../queries'
import { Arrival } from './Arrival'
import css from './provisioning.module.css'

interface CodeStepsProps {
  codeId: string
  onAgain: () => void
  /** What that does, where it makes no other code. */
  againLabel?: string
}

/** The code, the line that uses it, and the device that comes of it. */
export function CodeSteps({ codeId, onAgain, againLabel }: CodeStepsProps) {
  const { t } = useTranslation()
  const again = againLabel ?? t('provisioning.another')
  const poll = usePollWhenNotLive(3_000)
  const code = useQuery({
    ...codeQuery(codeId),
    refetchInterval: ({ state }) => (state.data && state.data.status !== 'unused' ? false : poll),
  })
  if (code.isPending) {
    return (
      <Panel title={t('provisioning.connect')}>
        <Lines count={6} />
      </Panel>
    )
  }
  if (!code.data) {
    return (
      <Panel title={t('provisioning.connect')}>
        <Failed error={code.error} onRetry={() => void code.refetch()} />
        <Button variant="default" onClick={onAgain}>
          {again}
        </Button>
      </Panel>
    )
  }
  const used = code.data.status === 'used'
  return (
    <Panel
      title={t('provisioning.connect')}
      actions={
        <Button size="compact-sm" variant="default" onClick={onAgain}>
          {again}
        </Button>
      }
    >
      <ol className={css.steps}>
        <li data-done={used || undefined}>
          <span className={css.stepTitle}>{t('provisioning.stepCode')}</span>
          <Secret code={code.data} />
        </li>
        <li data-done={used || undefined}>
          <span className={css.stepTitle}>{t('provisioning.stepPaste')}</span>
          <PasteLine codeId={codeId} />
        </li>
        <li data-done={used || undefined}>
          <span className={css.stepTitle}>{t('provisioning.stepWait')}</span>
          <Arrival code={code.data} />
        </li>
      </ol>
    </Panel>
  )
}

function Secret({ code }: { code: ProvisioningCode }) {
  const { t } = useTranslation()
  const { data: secret } = useQuery(secretQuery(code.id))
  const { data: instance } = useQuery(instanceQuery)
  if (!secret) {
    return (
      <Note>
        {t('provisioning.hidden')} <span className="mono">…{code.hint}</span>
      </Note>
    )
  }
  return (
    <div className={css.secret}>
      {instance && (
        <div className={css.qr}>
          <QrCode text={agentLine(instance, secret)} label={t('provisioning.qr')} size={148} />
        </div>
      )}
      <div>
        <span className={css.code}>
          <span data-testid="provisioning-code">{secret}</span>
          <CopyIcon text={secret} label={t('provisioning.copyCode')} />
        </span>
        <div className="quiet" style={{ maxWidth: '36ch' }}>
          {t('provisioning.once')}
          {code.status === 'unused' && (
            <>
              {' '}
              {t('provisioning.expires')} <RelativeTime iso={code.expires_at} past={false} />.
            </>
          )}
          <br />
          {t('provisioning.qrHint')}
        </div>
      </div>
    </div>
  )
}

function PasteLine({ codeId }: { codeId: string }) {
  const { t } = useTranslation()
  const { data: secret } = useQuery(secretQuery(codeId))
  const instance = useQuery(instanceQuery)
  if (instance.isError) {
    return <Failed error={instance.error} onRetry={() => void instance.refetch()} />
  }
  if (!instance.data) return <Lines count={2} />
  const line = agentLine(instance.data, secret ?? t('provisioning.yourCode'))
  return <CodeLine text={line} label={t('provisioning.copyLine')} />
}
