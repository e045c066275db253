import { useHotkeys } from '@mantine/hooks'
import {
  IconBuilding,
  IconCpu,
  IconLayoutDashboard,
  IconPlus,
  IconSearch,
  IconStack2,
} from '@tabler/icons-react'
import { Link, useLocation, useRouter } from '@tanstack/react-router'
import { lazy, type ReactNode, Suspense, useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Standing } from '@/features/account'
import { LiveMark } from './LiveMark'
import { Logo } from './Logo'
import { ProfileMenu } from './ProfileMenu'
import css from './shell.module.css'
import { warmUp } from './warm-up'

// The palette comes when it is first called for.
const CommandPalette = lazy(() => import('./CommandPalette'))
const isMac = typeof navigator !== 'undefined' && /Mac|iPhone|iPad/.test(navigator.userAgent)

/** The frame of every page behind the login: the rail, and the page beside it. */
export function Shell({ children }: { children: ReactNode }) {
  const { t } = useTranslation()
  const router = useRouter()
  useEffect(() => warmUp(router), [router])
  const adding = useLocation({ select: ({ pathname }) => pathname === '/devices/add' })
  const [called, setCalled] = useState(0)
  const call = () => setCalled((times) => times + 1)
  useHotkeys([['mod+K', call]], [])
  return (
    <div className={css.shell}>
      <a href="#main" className={css.skip}>
        {t('app.skip')}
      </a>
      <header className={css.rail}>
        <Link to="/" className={css.logo} aria-label={t('app.home')}>
          <Logo />
        </Link>
        <button
          type="button"
          className={css.palette}
          onClick={call}
          aria-keyshortcuts="Control+K Meta+K"
        >
          <IconSearch size={15} />
          <span>{t('palette.find')}</span>
          <kbd aria-hidden>{isMac ? '⌘K' : 'Ctrl K'}</kbd>
        </button>
        <nav className={css.nav} aria-label={t('app.navigation')}>
          <Link to="/" aria-label={t('overview.title')}>
            <IconLayoutDashboard size={18} stroke={1.6} />
            <span>{t('overview.title')}</span>
          </Link>
          <Link
            to="/devices"
            // "Add device" lies below it in the address and beside it here.
            activeOptions={{ includeSearch: false, exact: adding }}
            aria-label={t('devices.title')}
          >
            <IconCpu size={18} stroke={1.6} />
            <span>{t('devices.title')}</span>
          </Link>
          <Link
            to="/devices/add"
            className={css.wide}
            activeOptions={{ includeSearch: false }}
            aria-label={t('devices.add')}
          >
            <IconPlus size={18} stroke={1.6} />
            <span>{t('devices.add')}</span>
          </Link>
          <Link to="/groups" aria-label={t('groups.title')}>
            <IconStack2 size={18} stroke={1.6} />
            <span>{t('groups.title')}</span>
          </Link>
          <Link to="/organization" aria-label={t('organization.title')}>
            <IconBuilding size={18} stroke={1.6} />
            <span>{t('organization.title')}</span>
          </Link>
        </nav>
        <div className={css.foot}>
          <LiveMark />
          <ProfileMenu />
        </div>
      </header>
      <main id="main" className={css.main} tabIndex={-1}>
        <div className={css.page}>
          <Standing />
          {children}
        </div>
      </main>
      {called > 0 && (
        <Suspense>
          <CommandPalette called={called} />
        </Suspense>
      )}
    </div>
  )
}
