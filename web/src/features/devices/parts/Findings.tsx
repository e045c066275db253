import { useTranslation } from 'react-i18next'
import type { FindingDocument } from '@/api/generated'
import { Dot, RelativeTime } from '@/ui'
import css from './devices.module.css'

export type Finding = FindingDocument
const TONES = { ok: 'good', waiting: 'wait', problem: 'bad' } as const
const GRAVITY = { problem: 0, waiting: 1, ok: 2 }

/** The gravest first. */
export const ranked = (findings: readonly Finding[]): Finding[] =>
  [...findings].sort((a, b) => GRAVITY[a.state] - GRAVITY[b.state])

const NAMED = [
  'connected',
  'never_connected',
  'offline',
  'clone_suspected',
  'commands_settled',
  'shadow_in_sync',
  'shadow_waits',
  'shadow_not_in_sync',
] as const
const isNamed = (code: string): code is (typeof NAMED)[number] =>
  (NAMED as readonly string[]).includes(code)

/** A finding's title in the reader's language, where it is one that we know; the server speaks English. */
export function useFindingTitle(): (finding: Finding) => string {
  const { t } = useTranslation()
  return ({ code, title }) => (isNamed(code) ? t(`explain.titles.${code}`) : title)
}

/** Why a device is as it is: what is well, what waits, what is wrong and what to do about it. */
export function Findings({ findings }: { findings: readonly Finding[] }) {
  const { t } = useTranslation()
  const titleOf = useFindingTitle()
  return (
    <div>
      {ranked(findings).map((finding) => (
        <div key={`${finding.topic} ${finding.code}`} className={css.finding}>
          <Dot tone={TONES[finding.state]} label={t(`explain.state.${finding.state}`)} />
          <div>
            <strong>{titleOf(finding)}</strong>
            <p>
              {finding.detail}
              {finding.since && (
                <span className="quiet">
                  {' '}
                  · <RelativeTime iso={finding.since} />
                </span>
              )}
            </p>
          </div>
        </div>
      ))}
    </div>
  )
}
