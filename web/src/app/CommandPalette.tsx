import '@mantine/spotlight/styles.css'
import { useMantineColorScheme } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { createSpotlight, Spotlight } from '@mantine/spotlight'
import { IconLogout, IconMoon, IconSearch, IconSun } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useLogout } from '@/features/auth'
import { deviceSearchQuery, presenceTone } from '@/features/devices'
import { Dot } from '@/ui'
import { PLACES } from './places'

const [store, actions] = createSpotlight()

/** Devices by name, pages and a few verbs, all from the keyboard. `called` counts the calls for it. */
export default function CommandPalette({ called }: { called: number }) {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const logout = useLogout()
  const { setColorScheme } = useMantineColorScheme()
  const [query, setQuery] = useState('')
  const [search] = useDebouncedValue(query.trim(), 150)
  const devices = useQuery(deviceSearchQuery(search))
  // biome-ignore lint/correctness/useExhaustiveDependencies: each call opens it
  useEffect(() => actions.open(), [called])

  const verbs = [
    ...PLACES.map((place) => ({
      label: 'of' in place ? `${t(place.of)} · ${t(place.label)}` : t(place.label),
      icon: place.icon,
      run: () => navigate({ to: place.to }),
    })),
    { label: t('palette.light'), icon: IconSun, run: () => setColorScheme('light') },
    { label: t('palette.dark'), icon: IconMoon, run: () => setColorScheme('dark') },
    { label: t('profile.logout'), icon: IconLogout, run: () => logout.mutate() },
  ].filter(({ label }) => label.toLowerCase().includes(search.toLowerCase()))
  const found = devices.data ?? []

  return (
    <Spotlight.Root
      store={store}
      query={query}
      onQueryChange={setQuery}
      shortcut={null}
      attributes={{ content: { 'aria-label': t('palette.title') } }}
      scrollable
      maxHeight={420}
    >
      <Spotlight.Search
        placeholder={t('palette.placeholder')}
        aria-label={t('palette.placeholder')}
        leftSection={<IconSearch size={17} />}
      />
      <Spotlight.ActionsList>
        {found.length > 0 && (
          <Spotlight.ActionsGroup label={t('devices.title')}>
            {found.map((device) => (
              <Spotlight.Action
                key={device.device_id}
                label={device.name || device.device_id}
                description={device.device_id}
                leftSection={<Dot tone={presenceTone(device)} />}
                onClick={() =>
                  void navigate({
                    to: '/devices/$deviceId',
                    params: { deviceId: device.device_id },
                  })
                }
              />
            ))}
          </Spotlight.ActionsGroup>
        )}
        {verbs.length > 0 && (
          <Spotlight.ActionsGroup label={t('palette.actions')}>
            {verbs.map(({ label, icon: Icon, run }) => (
              <Spotlight.Action
                key={label}
                label={label}
                leftSection={<Icon size={17} stroke={1.6} />}
                onClick={() => void run()}
              />
            ))}
          </Spotlight.ActionsGroup>
        )}
        {found.length === 0 && verbs.length === 0 && (
          <Spotlight.Empty>{t('palette.nothing')}</Spotlight.Empty>
        )}
      </Spotlight.ActionsList>
    </Spotlight.Root>
  )
}
