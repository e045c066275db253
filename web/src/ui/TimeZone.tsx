import { Select } from '@mantine/core'
import { useMemo } from 'react'

interface TimeZoneProps {
  label: string
  description?: string
  value: string | null
  onValue: (zone: string | null) => void
  disabled?: boolean
}

const SHOWN = 60

/** A time zone by its name; the browser's own stands first. */
export function TimeZone({ label, description, value, onValue, disabled = false }: TimeZoneProps) {
  const zones = useMemo(() => {
    const own = Intl.DateTimeFormat().resolvedOptions().timeZone
    return [...new Set([own, 'UTC', ...Intl.supportedValuesOf('timeZone')])]
  }, [])
  const data = value && !zones.includes(value) ? [value, ...zones] : zones
  return (
    <Select
      label={label}
      {...(description ? { description } : {})}
      data={data}
      value={value}
      onChange={onValue}
      searchable
      clearable
      limit={SHOWN}
      disabled={disabled}
    />
  )
}
