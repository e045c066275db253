import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { usePollWhenNotLive } from '@/lib/live'
import { Panel, Reading } from '@/ui'
import { type Finding, Findings } from './parts/Findings'
import { explainQuery } from './queries'

const EVERY_MS = 15_000

/** Everything the platform can say about why a device is as it is, by topic. */
export function ExplainPage({ deviceId }: { deviceId: string }) {
  const { t } = useTranslation()
  const poll = usePollWhenNotLive(5_000)
  // Some of it is about time that passes, which no message announces.
  const query = useQuery({ ...explainQuery(deviceId), refetchInterval: poll || EVERY_MS })
  return (
    <Reading query={query} lines={8}>
      {(findings) => (
        <div style={{ display: 'grid', gap: 16 }}>
          {topicsOf(findings).map(([topic, some]) => (
            <Panel
              key={topic}
              title={t(`explain.topic.${topic}`, { defaultValue: capital(topic) })}
            >
              <Findings findings={some} />
            </Panel>
          ))}
        </div>
      )}
    </Reading>
  )
}

const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1)

function topicsOf(findings: readonly Finding[]): [string, Finding[]][] {
  const topics = new Map<string, Finding[]>()
  for (const finding of findings) {
    topics.set(finding.topic, [...(topics.get(finding.topic) ?? []), finding])
  }
  return [...topics]
}
