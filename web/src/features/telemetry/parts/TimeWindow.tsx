import { Button, SegmentedControl } from '@mantine/core'
import { IconZoomReset } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { exact } from '@/lib/format'
import { isRange, RANGES, type Range, type Resolution } from '../model'
import css from './telemetry.module.css'

/** The part of a view that says which time. */
interface Timed {
  range?: Range
  from?: number
  to?: number
}

interface TimedProps<View extends Timed> {
  view: View
  onView: (view: View) => void
}

/** How far back a window reaches that ends now. */
export function RangePicker<View extends Timed>({ view, onView }: TimedProps<View>) {
  const { t } = useTranslation()
  return (
    <SegmentedControl
      size="xs"
      aria-label={t('telemetry.range')}
      value={view.from === undefined ? (view.range ?? '1h') : ''}
      onChange={(range) => {
        if (isRange(range)) onView({ ...nowOf(view), range })
      }}
      data={Object.keys(RANGES).map((value) => ({
        value,
        label: t(`telemetry.ranges.${value as '1h'}`),
      }))}
    />
  )
}

interface WindowNoteProps<View extends Timed> extends TimedProps<View> {
  /** The window that stands still; absent for one that ends now. */
  still: { from: number; to: number } | undefined
  /** How the server answered, once it has. */
  answer: { resolution: Resolution; step: number } | undefined
}

/** Which time is shown, the way back from a closer look, and what each value stands for. */
export function WindowNote<View extends Timed>(props: WindowNoteProps<View>) {
  const { view, onView, still, answer } = props
  const { t, i18n } = useTranslation()
  return (
    <div className={css.meta}>
      {still ? (
        <>
          <span>
            {exact(new Date(still.from * 1000).toISOString(), i18n.language)} –{' '}
            {exact(new Date(still.to * 1000).toISOString(), i18n.language)}
          </span>
          <Button
            size="compact-xs"
            variant="default"
            leftSection={<IconZoomReset size={14} />}
            onClick={() => onView(nowOf(view))}
          >
            {t('telemetry.unzoom')}
          </Button>
        </>
      ) : (
        <span>{t('telemetry.zoomHint')}</span>
      )}
      {answer && (
        <span>
          {t('telemetry.resolution', {
            source: t(`telemetry.resolutions.${answer.resolution}`),
            step: answer.step,
          })}
        </span>
      )}
    </div>
  )
}

/** The view with a window that ends now. */
function nowOf<View extends Timed>(view: View): View {
  const { from: _from, to: _to, ...rest } = view
  return rest as View
}
