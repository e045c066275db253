import { Select, Switch, TextInput } from '@mantine/core'
import { IconFileText, IconSearch } from '@tabler/icons-react'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { exact } from '@/lib/format'
import { usePollWhenNotLive, useTopic } from '@/lib/live'
import { Blank, Dot, More, Panel, Reading } from '@/ui'
import {
  fits,
  follows,
  LEVELS,
  type Level,
  type LogFilters,
  type LogLine,
  mergeLines,
} from './model'
import css from './parts/logs.module.css'
import { logQuery } from './queries'

interface LogsPageProps {
  deviceId: string
  filters: LogFilters
  onFilters: (filters: LogFilters) => void
}

/** Streamed lines kept on the page; older ones are in the store. */
const KEPT = 2_000

/** What a device writes down, as it does so and in the past. */
export function LogsPage({ deviceId, filters, onFilters }: LogsPageProps) {
  const { t } = useTranslation()
  const [paused, setPaused] = useState(false)
  const following = follows(filters) && !paused
  const poll = usePollWhenNotLive(5_000)
  const query = useInfiniteQuery({
    ...logQuery(deviceId, filters),
    refetchInterval: following && poll,
  })
  const [streamed, setStreamed] = useState<LogLine[]>([])
  const asked = JSON.stringify(filters)
  // biome-ignore lint/correctness/useExhaustiveDependencies: another question starts with none
  useEffect(() => setStreamed([]), [deviceId, asked])
  useTopic(`devices/${deviceId}/logs`, (message) => {
    const line = message as unknown as LogLine
    if (!following || !fits(line, filters)) return
    setStreamed((before) => [line, ...before].slice(0, KEPT))
  })
  const set = (change: Partial<LogFilters>) => {
    const next = { ...filters, ...change }
    onFilters(Object.fromEntries(Object.entries(next).filter(([, value]) => value)) as LogFilters)
  }
  return (
    <>
      <div className={css.filters}>
        <Words
          label={t('logs.search')}
          value={filters.search ?? ''}
          onValue={(search) => set({ search })}
        />
        <Select
          aria-label={t('logs.level')}
          w={160}
          data={LEVELS.map((value) => ({ value, label: t(`logs.atLeast.${value}`) }))}
          placeholder={t('logs.level')}
          clearable
          value={filters.level ?? null}
          onChange={(level) => set({ level: (level ?? undefined) as Level })}
        />
        <Words
          label={t('logs.source')}
          value={filters.source ?? ''}
          onValue={(source) => set({ source })}
        />
        <Moment label={t('audit.from')} value={filters.from} onValue={(from) => set({ from })} />
        <Moment label={t('audit.to')} value={filters.to} onValue={(to) => set({ to })} />
      </div>
      <Panel
        title={t('logs.title')}
        flush
        actions={
          <Switch
            size="xs"
            label={t('logs.follow')}
            checked={following}
            disabled={!follows(filters)}
            onChange={(event) => setPaused(!event.currentTarget.checked)}
          />
        }
      >
        <Reading query={query} lines={8}>
          {({ items }) => {
            const lines = mergeLines(streamed, items)
            return lines.length === 0 ? (
              <Blank icon={<IconFileText size={22} stroke={1.6} />} title={t('logs.none')}>
                {t('logs.noneHint')}
              </Blank>
            ) : (
              <Lines lines={lines} following={following} />
            )
          }}
        </Reading>
        <More query={query} />
      </Panel>
    </>
  )
}

function Lines({ lines, following }: { lines: readonly LogLine[]; following: boolean }) {
  const { t, i18n } = useTranslation()
  return (
    <div
      className={css.box}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
      tabIndex={0}
      role="log"
      aria-label={t('logs.title')}
      aria-live={following ? 'polite' : 'off'}
    >
      <ol className={css.lines}>
        {lines.map((line, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: two lines may be alike to the microsecond
          <li key={`${line.time} ${line.message} ${index}`} data-level={line.level}>
            <time dateTime={line.time} title={exact(line.time, i18n.language)}>
              {clock(line.time)}
            </time>
            <span className={css.level}>
              <Dot
                tone={line.level === 'error' ? 'bad' : line.level === 'warning' ? 'wait' : 'off'}
              />
              {t(`logs.levels.${line.level}`)}
            </span>
            <span className={css.source}>{line.source}</span>
            <span className={css.message}>{line.message}</span>
          </li>
        ))}
      </ol>
    </div>
  )
}

/** Month, day and the time to the millisecond, in the reader's zone. */
function clock(iso: string): string {
  const at = new Date(iso)
  const two = (value: number) => String(value).padStart(2, '0')
  const day = `${two(at.getMonth() + 1)}-${two(at.getDate())}`
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':')
  return `${day} ${time}.${String(at.getMilliseconds()).padStart(3, '0')}`
}

interface WordsProps {
  label: string
  value: string
  onValue: (value: string) => void
}

const TYPING_MS = 300

function Words({ label, value, onValue }: WordsProps) {
  const [typed, setTyped] = useState(value)
  // biome-ignore lint/correctness/useExhaustiveDependencies: only what is typed starts the rest
  useEffect(() => {
    if (typed.trim() === value) return
    const timer = setTimeout(() => onValue(typed.trim()), TYPING_MS)
    return () => clearTimeout(timer)
  }, [typed])
  return (
    <TextInput
      className={css.words}
      aria-label={label}
      placeholder={label}
      leftSection={<IconSearch size={14} />}
      value={typed}
      onChange={(event) => setTyped(event.currentTarget.value)}
    />
  )
}

interface MomentProps {
  label: string
  value: string | undefined
  onValue: (value: string | undefined) => void
}

/** A moment in the reader's own time. */
function Moment({ label, value, onValue }: MomentProps) {
  return (
    <TextInput
      type="datetime-local"
      leftSection={<span className="quiet">{label}</span>}
      leftSectionWidth={48}
      leftSectionPointerEvents="none"
      aria-label={label}
      title={label}
      value={value ? local(value) : ''}
      onChange={(event) => {
        const at = event.currentTarget.value
        onValue(at ? new Date(at).toISOString() : undefined)
      }}
    />
  )
}

function local(iso: string): string {
  const at = new Date(iso)
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}
