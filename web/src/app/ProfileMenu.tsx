import { Menu, SegmentedControl, useMantineColorScheme } from '@mantine/core'
import { IconBook, IconLogout } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { profileQuery, useLogout } from '@/features/auth'
import { languages, setLanguage } from './i18n'
import css from './shell.module.css'

export function ProfileMenu() {
  const { t, i18n } = useTranslation()
  const { data: user } = useQuery(profileQuery)
  const logout = useLogout()
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const name = [user?.first_name, user?.last_name].filter(Boolean).join(' ') || user?.email || ''
  const initials = name
    .split(/[\s.@]+/)
    .slice(0, 2)
    .map((part) => part.charAt(0).toUpperCase())
    .join('')
  return (
    <Menu position="top-start" width={240} closeOnItemClick>
      <Menu.Target>
        <button type="button" className={css.profile} aria-label={t('profile.menu')}>
          <span className={css.initials}>{initials}</span>
          <span className={css.who}>
            <span>{name}</span>
            <span>{user?.role}</span>
          </span>
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{user?.email}</Menu.Label>
        <div style={{ padding: '2px 10px 8px' }}>
          <SegmentedControl
            fullWidth
            size="xs"
            aria-label={t('profile.scheme')}
            value={colorScheme}
            onChange={(value) => setColorScheme(value as typeof colorScheme)}
            data={(['light', 'dark', 'auto'] as const).map((value) => ({
              value,
              label: t(`profile.schemes.${value}`),
            }))}
          />
        </div>
        {languages.length > 1 && (
          <div style={{ padding: '2px 10px 8px' }}>
            <SegmentedControl
              fullWidth
              size="xs"
              aria-label={t('profile.language')}
              value={i18n.language}
              onChange={(code) => void setLanguage(code)}
              data={languages.map((code) => ({
                value: code,
                label: new Intl.DisplayNames([code], { type: 'language' }).of(code) ?? code,
              }))}
            />
          </div>
        )}
        <Menu.Divider />
        <Menu.Item component="a" href="/docs" target="_blank" leftSection={<IconBook size={15} />}>
          {t('profile.api')}
        </Menu.Item>
        <Menu.Item leftSection={<IconLogout size={15} />} onClick={() => logout.mutate()}>
          {t('profile.logout')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
