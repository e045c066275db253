import { Menu, useMantineColorScheme } from '@mantine/core'
import { IconBook, IconLogout, IconUser } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import { useUpdateProfile } from '@/features/account'
import { profileQuery, useLogout } from '@/features/auth'
import { languages, setLanguage } from './i18n'
import css from './shell.module.css'

const SCHEMES = ['light', 'dark', 'auto'] as const

export function ProfileMenu() {
  const { t, i18n } = useTranslation()
  const { data: user } = useQuery(profileQuery)
  const logout = useLogout()
  const update = useUpdateProfile()
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const setScheme = (value: string) => setColorScheme(value as (typeof SCHEMES)[number])
  // The language goes with the person to every browser; where the profile says none, the browser's holds.
  const locale = user?.locale?.split('-')[0]
  useEffect(() => {
    if (locale && languages.includes(locale)) void setLanguage(locale)
  }, [locale])
  const choose = (code: string) => {
    void setLanguage(code)
    update.mutate({ locale: code })
  }
  const name = [user?.first_name, user?.last_name].filter(Boolean).join(' ') || user?.email || ''
  const initials = name
    .split(/[\s.@]+/)
    .slice(0, 2)
    .map((part) => part.charAt(0).toUpperCase())
    .join('')
  return (
    <Menu position="top-start" width={240} closeOnItemClick>
      <Menu.Target>
        <button type="button" className={css.profile}>
          <span className="visually-hidden">{t('profile.menu')}</span>
          <span className={css.initials} aria-hidden>
            {initials}
          </span>
          <span className={css.who}>
            <span>{name}</span>
            <span>{user && t(`roles.${user.role}.name`)}</span>
          </span>
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{user?.email}</Menu.Label>
        <Menu.Item
          leftSection={<IconUser size={15} />}
          renderRoot={(props) => <Link to="/account" {...props} />}
        >
          {t('account.title')}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Label>{t('profile.scheme')}</Menu.Label>
        <Menu.RadioGroup value={colorScheme} onChange={setScheme}>
          {SCHEMES.map((value) => (
            <Menu.RadioItem key={value} value={value}>
              {t(`profile.schemes.${value}`)}
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
        {languages.length > 1 && (
          <>
            <Menu.Label>{t('profile.language')}</Menu.Label>
            <Menu.RadioGroup value={i18n.language} onChange={choose}>
              {languages.map((code) => (
                <Menu.RadioItem key={code} value={code}>
                  {new Intl.DisplayNames([code], { type: 'language' }).of(code) ?? code}
                </Menu.RadioItem>
              ))}
            </Menu.RadioGroup>
          </>
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
