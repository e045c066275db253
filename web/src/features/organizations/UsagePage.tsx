import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import type { UsageItem } from '@/api/generated'
import { MayNot, useMay } from '@/features/auth'
import { Panel, Pill, Reading, RelativeTime } from '@/ui'
import css from './parts/organizations.module.css'
import { usageQuery, useOrganizationId } from './queries'

/** From here on it is worth saying that the end is near. */
const NEAR = 0.8

/** What the plan allows, and how much of it is used. */
export function UsagePage() {
  const { t } = useTranslation()
  const may = useMay('billing:view')
  const usage = useQuery(usageQuery(useOrganizationId(), may === true))
  if (may === false) return <MayNot permission="billing:view" toDo={t('usage.mayNot')} />
  return (
    <Reading query={usage}>
      {({ title, items, features }) => (
        <div className={css.columns}>
          <Panel title={t('usage.of', { plan: title })}>
            <ul className={css.meters} aria-label={t('usage.title')}>
              {items.map((item) => (
                <Meter key={item.resource} item={item} />
              ))}
            </ul>
          </Panel>
          <Panel title={t('usage.features')}>
            <div className={css.pills}>
              {features.map((feature) => (
                <Pill key={feature}>
                  {t(`usage.feature.${feature as 'slack'}`, { defaultValue: feature })}
                </Pill>
              ))}
            </div>
          </Panel>
        </div>
      )}
    </Reading>
  )
}

function Meter({ item: { resource, used, limit, resets_at } }: { item: UsageItem }) {
  const { t, i18n } = useTranslation()
  const name = t(`usage.resource.${resource as 'devices'}`, { defaultValue: resource })
  const share = limit ? Math.min(1, used / limit) : 0
  const count = (value: number) => value.toLocaleString(i18n.language)
  return (
    <li>
      <span className={css.meterHead}>
        <span>{name}</span>
        <span>
          {limit === null
            ? t('usage.unlimited', { used: count(used) })
            : t('usage.ofLimit', { used: count(used), limit: count(limit) })}
        </span>
      </span>
      {limit !== null && (
        <meter
          className={css.meter}
          data-tone={share >= 1 ? 'bad' : share >= NEAR ? 'wait' : 'good'}
          aria-label={name}
          min={0}
          max={limit || 1}
          value={Math.min(used, limit)}
        />
      )}
      {share >= NEAR && (
        <span className="quiet">{t(share >= 1 ? 'usage.full' : 'usage.near')}</span>
      )}
      {resets_at && (
        <span className="quiet">
          {t('usage.resets')} <RelativeTime iso={resets_at} past={false} />
        </span>
      )}
    </li>
  )
}
