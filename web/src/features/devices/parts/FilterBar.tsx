import { CloseButton, SegmentedControl, TextInput } from '@mantine/core'
import { IconSearch } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { DeviceFilters } from '../model'
import { deviceCountQuery } from '../queries'
import css from './devices.module.css'

interface FilterBarProps {
  filters: DeviceFilters
  onFilters: (filters: DeviceFilters) => void
  /** Stands at the end of the bar. */
  children?: ReactNode
}

const TYPING_MS = 220

/** Search and status. What is typed goes to the URL after a short rest, since the URL is what the list reads. */
export function FilterBar({ filters, onFilters, children }: FilterBarProps) {
  const { t } = useTranslation()
  const [typed, setTyped] = useState(filters.search ?? '')
  const sent = useRef(filters.search ?? '')

  useEffect(() => {
    // The URL changed by other means (back, clear): show what it says.
    if ((filters.search ?? '') !== sent.current) {
      sent.current = filters.search ?? ''
      setTyped(sent.current)
    }
  }, [filters.search])

  useEffect(() => {
    const wanted = typed.trim()
    if (wanted === sent.current) return
    const timer = setTimeout(() => {
      sent.current = wanted
      const { search: _search, ...rest } = filters
      onFilters(wanted ? { ...rest, search: wanted } : rest)
    }, TYPING_MS)
    return () => clearTimeout(timer)
  }, [typed, filters, onFilters])

  return (
    <div className={css.filters}>
      <TextInput
        className={css.search}
        aria-label={t('devices.search')}
        placeholder={t('devices.searchHint')}
        leftSection={<IconSearch size={15} />}
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
        rightSection={
          typed && (
            <CloseButton
              size="sm"
              aria-label={t('devices.clearSearch')}
              onClick={() => setTyped('')}
            />
          )
        }
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
  const { status: _status, ...rest } = filters
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
