import { SegmentedControl } from '@mantine/core'
import { IconSearch } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { isQuery, QueryInput } from '@/ui/query-input'
import type { DeviceFilters } from '../model'
import { deviceCountQuery, queryFieldsQuery } from '../queries'
import css from './devices.module.css'
import { useChecked } from './useChecked'

interface FilterBarProps {
  filters: DeviceFilters
  onFilters: (filters: DeviceFilters) => void
  /** Stands at the end of the bar. */
  children?: ReactNode
}

const TYPING_MS = 220

/**
 * One line for both: words to look for, or a query. What is typed goes to the URL after a short rest, since the URL is
 * what the list reads; a query goes there once the server could read it.
 */
export function FilterBar({ filters, onFilters, children }: FilterBarProps) {
  const { t } = useTranslation()
  const stands = filters.q ?? filters.search ?? ''
  const [typed, setTyped] = useState(stands)
  const sent = useRef(stands)
  const fields = useQuery(queryFieldsQuery)
  const wanted = typed.trim()
  const asks = isQuery(wanted)
  const checked = useChecked(asks ? wanted : '')

  useEffect(() => {
    // The URL changed by other means (back, clear, a view): show what it says.
    if (stands !== sent.current) {
      sent.current = stands
      setTyped(stands)
    }
  }, [stands])

  const send = () => {
    sent.current = wanted
    const { q: _q, search: _search, ...rest } = filters
    onFilters(wanted ? { ...rest, ...(asks ? { q: wanted } : { search: wanted }) } : rest)
  }
  const latestSend = useRef(send)
  latestSend.current = send
  const ready = asks ? checked.valid : true
  useEffect(() => {
    if (wanted === sent.current || !ready) return
    const timer = setTimeout(() => latestSend.current(), TYPING_MS)
    return () => clearTimeout(timer)
  }, [wanted, ready])

  return (
    <div className={css.filters}>
      <QueryInput
        label={t('devices.search')}
        placeholder={t('devices.searchHint')}
        clearLabel={t('devices.clearSearch')}
        icon={<IconSearch size={15} />}
        value={typed}
        onChange={setTyped}
        onSubmit={() => ready && send()}
        fields={fields.data ?? []}
        fault={asks ? checked.fault : null}
      />
      <SegmentedControl
        aria-label={t('devices.statusFilter')}
        value={filters.status ?? 'all'}
        onChange={(value) => {
          const { status: _status, ...rest } = filters
          onFilters(value === 'all' ? rest : { ...rest, status: value as 'online' })
        }}
        data={[
          { value: 'all', label: <Counted text={t('devices.all')} filters={filters} /> },
          {
            value: 'online',
            label: <Counted text={t('devices.online')} filters={filters} status="online" />,
          },
          {
            value: 'offline',
            label: <Counted text={t('devices.offline')} filters={filters} status="offline" />,
          },
        ]}
      />
      {children}
    </div>
  )
}

interface CountedProps {
  text: string
  filters: DeviceFilters
  status?: DeviceFilters['status']
}

function Counted({ text, filters, status }: CountedProps) {
  const { i18n } = useTranslation()
  const { status: _status, sort: _sort, ...rest } = filters
  // A count that cannot be had is left out: the list below says what is wrong.
  const { data } = useQuery(deviceCountQuery(status ? { ...rest, status } : rest))
  return (
    <span>
      {text}
      {typeof data === 'number' && (
        <span className={css.count}>{data.toLocaleString(i18n.language)}</span>
      )}
    </span>
  )
}
