import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { type LiveState, useLiveState } from '@/lib/live'
import { Dot } from '@/ui'
import css from './shell.module.css'

/** A gap shorter than this is nobody's business. */
const PATIENCE_MS = 1_500

/** Whether what is on screen follows the fleet by itself. */
export function LiveMark() {
  const { t } = useTranslation()
  const state = useLiveState()
  const [shown, setShown] = useState<LiveState>('connecting')
  useEffect(() => {
    const timer = setTimeout(() => setShown(state), state === 'live' ? 0 : PATIENCE_MS)
    return () => clearTimeout(timer)
  }, [state])
  const live = shown === 'live'
  const text = t(
    live ? 'live.live' : shown === 'connecting' ? 'live.connecting' : 'live.reconnecting',
  )
  return (
    <div className={css.live} role="status" title={t(live ? 'live.liveHint' : 'live.gapHint')}>
      <Dot tone={live ? 'good' : 'wait'} pulse={!live} />
      <span>{text}</span>
    </div>
  )
}
