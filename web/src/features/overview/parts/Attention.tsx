import { IconChevronRight, IconCircleCheck } from '@tabler/icons-react'
import { useInfiniteQuery, useQueries, useQuery } from '@tanstack/react-query'
import { Link, type LinkProps } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { apiKeyListQuery } from '@/features/api-keys'
import { useMay } from '@/features/auth'
import { deviceCountQuery } from '@/features/devices'
import { useMembers } from '@/features/members'
import { usageQuery, useOrganizationId } from '@/features/organizations'
import { Dot, Failed, Lines, Panel, type Tone } from '@/ui'
import { endingSoon, NEAR, WORRIES } from '../model'
import css from './overview.module.css'

interface Item {
  id: string
  text: string
  tone: Tone
  link: LinkProps
}

/** Measurements come all the time and tell nobody; counts over them are asked for again at this pace. */
const EVERY_MS = 30_000

/** What wants looking after, each with the way to where that is done; nothing is said of what is in order. */
export function Attention() {
  const { t } = useTranslation()
  const people = usePeople()
  const counts = useQueries({
    queries: WORRIES.map(({ q }) => ({ ...deviceCountQuery({ q }), refetchInterval: EVERY_MS })),
  })
  const failed = counts.find(({ isError, data }) => isError && data === undefined)
  const fleet = WORRIES.flatMap(({ id, q, tone }, index): Item[] => {
    const count = counts[index]?.data
    if (!count) return []
    const text = t(`overview.worry.${id}`, { count })
    return [{ id, text, tone, link: { to: '/devices', search: { q } } }]
  })
  const items = [...fleet, ...people]
  return (
    <Panel title={t('overview.attention')} flush>
      {failed ? (
        <Failed error={failed.error} onRetry={() => void failed.refetch()} />
      ) : items.length > 0 ? (
        <ul className={css.rows}>
          {items.map(({ id, text, tone, link }) => (
            <li key={id}>
              <Link {...link} className={css.row}>
                <Dot tone={tone} />
                <span>{text}</span>
                <IconChevronRight size={15} aria-hidden />
              </Link>
            </li>
          ))}
        </ul>
      ) : counts.some(({ isPending }) => isPending) ? (
        <div className={css.inside}>
          <Lines count={3} />
        </div>
      ) : (
        <p className={css.well}>
          <IconCircleCheck size={18} aria-hidden /> {t('overview.nothing')}
        </p>
      )}
    </Panel>
  )
}

/** What stands out among people, keys and quotas, as far as the reader may see them. */
function usePeople(): Item[] {
  const { t } = useTranslation()
  const organizationId = useOrganizationId()
  const mayPeople = useMay('users:manage')
  const mayKeys = useMay('api_keys:manage')
  const mayPlan = useMay('billing:view')
  const members = useMembers()
  const keys = useInfiniteQuery({ ...apiKeyListQuery, enabled: mayKeys === true })
  const usage = useQuery(usageQuery(organizationId, mayPlan === true))
  const unsecured = mayPeople ? members.filter(({ mfa_enabled }) => !mfa_enabled).length : 0
  const ending = endingSoon(keys.data?.items ?? [], Date.now())
  const near = (usage.data?.items ?? []).filter(
    ({ used, limit }) => limit !== null && used >= limit * NEAR,
  )
  const found: (Item | false)[] = [
    ...near.map(({ resource, used, limit }): Item => {
      const name = t(`usage.resource.${resource as 'devices'}`, { defaultValue: resource })
      const full = used >= (limit ?? 0)
      return {
        id: resource,
        text: t(full ? 'overview.quotaFull' : 'overview.quotaNear', { name, used, limit }),
        tone: full ? 'bad' : 'wait',
        link: { to: '/organization/usage' },
      }
    }),
    ending > 0 && {
      id: 'keys',
      text: t('overview.keys', { count: ending }),
      tone: 'wait',
      link: { to: '/organization/api-keys' },
    },
    unsecured > 0 && {
      id: 'mfa',
      text: t('overview.mfa', { count: unsecured }),
      tone: 'wait',
      link: { to: '/organization/security' },
    },
  ]
  return found.filter((each) => each !== false)
}
