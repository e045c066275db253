import { Button, Select } from '@mantine/core'
import { IconFilter } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { queryFieldsQuery, useChecked } from '@/features/devices'
import { QueryInput } from '@/ui/query-input'
import {
  type CompareView,
  GROUPINGS,
  type Grouping,
  idsOf,
  MANY_AGGREGATES,
  type ManyAggregate,
  metricOf,
} from '../compare'
import { NAMED_METRICS } from '../model'
import { metricNamesQuery } from '../queries'
import { useWords } from '../useWords'
import { RangePicker } from './TimeWindow'
import css from './telemetry.module.css'

interface CompareControlsProps {
  view: CompareView
  onView: (view: CompareView) => void
}

/** Which devices, which measurement, which time, and what has a line of its own. */
export function CompareControls({ view, onView }: CompareControlsProps) {
  const { t } = useTranslation()
  const { nameOf } = useWords()
  const first = idsOf(view)[0]
  // Devices name measurements of their own: those of one of the picked are offered for all of them.
  const names = useQuery({ ...metricNamesQuery(first ?? ''), enabled: first !== undefined })
  const metric = metricOf(view)
  const known = new Set([metric, ...NAMED_METRICS, ...(names.data?.map(({ name }) => name) ?? [])])
  return (
    <>
      {first === undefined ? (
        <Which view={view} onView={onView} />
      ) : (
        <div className={css.meta}>
          <span>{t('compare.picked', { count: idsOf(view).length })}</span>
          <Button
            size="compact-xs"
            variant="default"
            leftSection={<IconFilter size={14} />}
            onClick={() => {
              const { ids: _ids, ...rest } = view
              onView(rest)
            }}
          >
            {t('compare.pickedAway')}
          </Button>
        </div>
      )}
      <div className={css.controls}>
        <RangePicker view={view} onView={onView} />
        <Select
          className={css.grow ?? ''}
          aria-label={t('telemetry.metrics')}
          data={[...known].map((value) => ({ value, label: nameOf(value) }))}
          value={metric}
          allowDeselect={false}
          searchable
          onChange={(value) => value && onView({ ...view, metric: value })}
        />
        <Select
          aria-label={t('compare.groupBy')}
          w={150}
          data={GROUPINGS.map((value) => ({ value, label: t(`compare.groupings.${value}`) }))}
          value={view.group_by ?? 'device'}
          allowDeselect={false}
          onChange={(value) => value && onView({ ...view, group_by: value as Grouping })}
        />
        <Select
          aria-label={t('telemetry.aggregate')}
          w={130}
          data={MANY_AGGREGATES.map((value) => ({
            value,
            label: t(`compare.aggregates.${value}`),
          }))}
          value={view.aggregate ?? 'avg'}
          allowDeselect={false}
          onChange={(value) => value && onView({ ...view, aggregate: value as ManyAggregate })}
        />
      </div>
    </>
  )
}

const TYPING_MS = 300

/** The devices by a query; it counts once the server can read it. */
function Which({ view, onView }: CompareControlsProps) {
  const { t } = useTranslation()
  const [typed, setTyped] = useState(view.q ?? '')
  const fields = useQuery(queryFieldsQuery)
  const wanted = typed.trim()
  const checked = useChecked(wanted)
  const ready = wanted === '' || checked.valid
  const send = useRef(() => {})
  send.current = () => {
    const { q: _q, ...rest } = view
    onView(wanted ? { ...rest, q: wanted } : rest)
  }
  const stands = view.q ?? ''
  useEffect(() => {
    if (wanted === stands || !ready) return
    const timer = setTimeout(() => send.current(), TYPING_MS)
    return () => clearTimeout(timer)
  }, [wanted, stands, ready])
  return (
    <div className={css.which}>
      <QueryInput
        label={t('compare.which')}
        placeholder={t('compare.which')}
        clearLabel={t('devices.clearSearch')}
        icon={<IconFilter size={15} />}
        value={typed}
        onChange={setTyped}
        onSubmit={() => ready && send.current()}
        fields={fields.data ?? []}
        fault={checked.fault}
      />
    </div>
  )
}
