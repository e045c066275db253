import { Autocomplete, Button, Select, TextInput } from '@mantine/core'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { type Member, nameOf } from '@/features/members'
import { ACTIONS, type AuditFilters, filtersOf, isNarrowed } from '../model'
import css from './audit.module.css'

interface FiltersProps {
  filters: AuditFilters
  members: readonly Member[]
  onFilters: (filters: AuditFilters) => void
}

const TYPING_MS = 350

export function Filters({ filters, members, onFilters }: FiltersProps) {
  const { t } = useTranslation()
  const set = (change: { [Name in keyof AuditFilters]: string | null | undefined }) =>
    onFilters(filtersOf({ ...filters, ...change }))
  return (
    <search className={css.filters}>
      <Select
        label={t('audit.who')}
        placeholder={t('audit.anybody')}
        data={members.map((member) => ({ value: member.user_id, label: nameOf(member) }))}
        value={filters.user ?? null}
        onChange={(user) => set({ user })}
        searchable
        clearable
      />
      <Typed value={filters.action ?? ''} onValue={(action) => set({ action })}>
        {(value, onChange) => (
          <Autocomplete
            label={t('audit.action')}
            placeholder={t('audit.actionHint')}
            data={[...ACTIONS]}
            value={value}
            onChange={onChange}
          />
        )}
      </Typed>
      <Typed value={filters.resource ?? ''} onValue={(resource) => set({ resource })}>
        {(value, onChange) => (
          <TextInput
            label={t('audit.resource')}
            placeholder="dev_…"
            value={value}
            onChange={(event) => onChange(event.currentTarget.value)}
          />
        )}
      </Typed>
      <Select
        label={t('audit.status')}
        placeholder={t('audit.any')}
        data={[
          { value: 'success', label: t('audit.success') },
          { value: 'failure', label: t('audit.failure') },
        ]}
        value={filters.status ?? null}
        onChange={(status) => set({ status })}
        clearable
      />
      <TextInput
        label={t('audit.from')}
        type="date"
        value={filters.from ?? ''}
        onChange={(event) => set({ from: event.currentTarget.value })}
      />
      <TextInput
        label={t('audit.to')}
        type="date"
        value={filters.to ?? ''}
        onChange={(event) => set({ to: event.currentTarget.value })}
      />
      {isNarrowed(filters) && (
        <Button variant="subtle" onClick={() => onFilters({})}>
          {t('devices.clearFilters')}
        </Button>
      )}
    </search>
  )
}

interface TypedProps {
  value: string
  onValue: (value: string) => void
  children: (value: string, onChange: (value: string) => void) => React.ReactNode
}

/** What is typed goes to the address after a short rest; what the address says by other means is shown. */
function Typed({ value, onValue, children }: TypedProps) {
  const [typed, setTyped] = useState(value)
  useEffect(() => setTyped(value), [value])
  // biome-ignore lint/correctness/useExhaustiveDependencies: only typing sets off the timer
  useEffect(() => {
    const wanted = typed.trim()
    if (wanted === value) return
    const timer = setTimeout(() => onValue(wanted), TYPING_MS)
    return () => clearTimeout(timer)
  }, [typed])
  return children(typed, setTyped)
}
