import { Checkbox, Radio, Stack } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { type Extra, extrasFor, ROLES, type Role, wordOf } from '../model'

interface RoleFieldsProps {
  role: Role
  extras: Extra[]
  onChange: (role: Role, extras: Extra[]) => void
}

/** A role, each with what it may, and the permissions that can be had beside it. */
export function RoleFields({ role, extras, onChange }: RoleFieldsProps) {
  const { t } = useTranslation()
  const offered = extrasFor(role)
  return (
    <>
      <Radio.Group
        label={t('members.role')}
        value={role}
        onChange={(value) => {
          const next = value as Role
          onChange(
            next,
            extras.filter((each) => extrasFor(next).includes(each)),
          )
        }}
      >
        <Stack gap={10} mt={8}>
          {ROLES.map((each) => (
            <Radio
              key={each}
              value={each}
              label={t(`roles.${each}.name`)}
              description={t(`roles.${each}.does`)}
            />
          ))}
        </Stack>
      </Radio.Group>
      {offered.length > 0 && (
        <Checkbox.Group
          label={t('members.extras')}
          value={extras}
          onChange={(value) => onChange(role, value as Extra[])}
        >
          <Stack gap={8} mt={8}>
            {offered.map((each) => (
              <Checkbox key={each} value={each} label={t(wordOf(each))} />
            ))}
          </Stack>
        </Checkbox.Group>
      )}
    </>
  )
}
