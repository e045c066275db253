import { Button, Menu, TextInput } from '@mantine/core'
import { IconCheck, IconPlus, IconSwitchHorizontal } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useSwitchOrganization } from '@/features/auth'
import { FormModal, Refused } from '@/ui'
import { ownOrganizationsQuery, useCreateOrganization, useOrganizationId } from '../queries'

/** Of another organization nothing that is in memory is true: the console starts anew. */
const startAnew = () => window.location.assign('/')

/** The organizations one belongs to: enter another, or make one. */
export function SwitchOrganization() {
  const { t } = useTranslation()
  const own = useQuery(ownOrganizationsQuery)
  const current = useOrganizationId()
  const enter = useSwitchOrganization()
  const [making, setMaking] = useState(false)
  return (
    <>
      <Menu position="bottom-end" width={260}>
        <Menu.Target>
          <Button
            variant="default"
            loading={enter.isPending}
            leftSection={<IconSwitchHorizontal size={16} />}
          >
            {t('organization.switch')}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>{t('organization.yours')}</Menu.Label>
          {own.data?.map(({ id, name, role }) => (
            <Menu.Item
              key={id}
              disabled={id === current}
              rightSection={id === current && <IconCheck size={15} />}
              onClick={() => enter.mutate(id, { onSuccess: startAnew })}
            >
              {name} <span className="quiet">{t(`roles.${role}.name`)}</span>
            </Menu.Item>
          ))}
          <Menu.Divider />
          <Menu.Item leftSection={<IconPlus size={15} />} onClick={() => setMaking(true)}>
            {t('organization.create')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {enter.isError && <Refused error={enter.error} />}
      {making && <CreateOrganization onClose={() => setMaking(false)} />}
    </>
  )
}

function CreateOrganization({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation()
  const [name, setName] = useState('')
  const create = useCreateOrganization()
  const enter = useSwitchOrganization()
  return (
    <FormModal
      title={t('organization.create')}
      action={t('organization.createAndEnter')}
      pending={create.isPending || enter.isPending}
      error={create.error ?? enter.error}
      onClose={onClose}
      onSubmit={() =>
        create.mutate(name.trim(), {
          onSuccess: ({ id }) => enter.mutate(id, { onSuccess: startAnew }),
        })
      }
    >
      <TextInput
        label={t('organization.name')}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        maxLength={120}
        required
        data-autofocus
      />
    </FormModal>
  )
}
