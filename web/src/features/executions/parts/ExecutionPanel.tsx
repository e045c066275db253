import { CloseButton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { exact, took } from '@/lib/format'
import { Note, Panel, Pill, Reading } from '@/ui'
import { barsOf, ranSeconds, toneOf } from '../model'
import { executionQuery } from '../queries'
import css from './executions.module.css'

interface ExecutionPanelProps {
  deviceId: string
  executionId: string
  onClose: () => void
}

const AGAIN_MS = 2_000

/** One run from its trigger to its end: what each node took in, gave out, and how long it was at it. */
export function ExecutionPanel({ deviceId, executionId, onClose }: ExecutionPanelProps) {
  const { t, i18n } = useTranslation()
  const query = useQuery({
    ...executionQuery(deviceId, executionId),
    refetchInterval: ({ state }) => (state.data?.status === 'running' ? AGAIN_MS : false),
  })
  const run = query.data
  return (
    <Panel
      title={run ? run.flow_name || run.flow_id : t('executions.one')}
      actions={<CloseButton aria-label={t('executions.close')} onClick={onClose} />}
    >
      <Reading query={query}>
        {(data) => {
          const seconds = ranSeconds(data)
          return (
            <>
              <div className={css.facts}>
                <Pill tone={toneOf(data.status)}>{t(`executions.states.${data.status}`)}</Pill>
                <span>{exact(data.started_at, i18n.language)}</span>
                {seconds !== undefined && <span>{took(seconds)}</span>}
                {data.trigger && <span>{data.trigger}</span>}
                <span className="mono quiet">{data.execution_id}</span>
              </div>
              {data.error && <Note tone="bad">{data.error}</Note>}
              <h3 className={css.part}>{t('executions.nodes')}</h3>
              {data.nodes.length === 0 ? (
                <p className="quiet">{t('executions.noNodes')}</p>
              ) : (
                <ol className={css.nodes}>
                  {barsOf(data.nodes).map(({ node, left, width }) => (
                    <li key={`${node.node_id} ${node.started_at}`}>
                      <span className={css.node}>
                        <strong>{node.name || node.node_id}</strong>{' '}
                        {node.node_type && <span className="mono quiet">{node.node_type}</span>}
                      </span>
                      <span className={css.track} aria-hidden>
                        <i
                          data-tone={toneOf(node.status)}
                          style={{ left: `${left * 100}%`, width: `max(3px, ${width * 100}%)` }}
                        />
                      </span>
                      <span className={css.number}>{took(node.duration_ms / 1000)}</span>
                      <span className="quiet">
                        {t('executions.messages', {
                          in: node.messages_in,
                          out: node.messages_out,
                        })}
                      </span>
                      {node.error && <span className={css.error}>{node.error}</span>}
                    </li>
                  ))}
                </ol>
              )}
            </>
          )
        }}
      </Reading>
    </Panel>
  )
}
