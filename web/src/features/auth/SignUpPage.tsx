import { Button, Checkbox, TextInput } from '@mantine/core'
import { IconLock } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { instanceQuery } from '@/lib/instance'
import { Blank, Reading, Refused } from '@/ui'
import { AuthFrame } from './parts/AuthFrame'
import css from './parts/login.module.css'
import { NewPassword } from './parts/NewPassword'
import { useRegister } from './queries'

interface SignUpPageProps {
  mark: ReactNode
  onSignedIn: () => void
}

/** A new account with an organization of its own, where the instance is open for that. */
export function SignUpPage({ mark, onSignedIn }: SignUpPageProps) {
  const { t } = useTranslation()
  const instance = useQuery(instanceQuery)
  return (
    <AuthFrame mark={mark} title={t('auth.signUp')} lead={t('auth.signUpLead')}>
      <Reading query={instance}>
        {({ registration }) =>
          registration === 'open' ? (
            <SignUpForm onSignedIn={onSignedIn} />
          ) : (
            <Blank icon={<IconLock size={22} stroke={1.6} />} title={t('auth.notOpen')}>
              {t(registration === 'invite' ? 'auth.byInvitation' : 'auth.closed')}
            </Blank>
          )
        }
      </Reading>
      <p className={css.ways}>
        <Link to="/login">{t('auth.haveAccount')}</Link>
      </p>
    </AuthFrame>
  )
}

function SignUpForm({ onSignedIn }: { onSignedIn: () => void }) {
  const { t } = useTranslation()
  const [firstName, setFirstName] = useState('')
  const [lastName, setLastName] = useState('')
  const [organization, setOrganization] = useState('')
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const [accepted, setAccepted] = useState(false)
  const register = useRegister()
  return (
    <form
      className={css.form}
      onSubmit={(event) => {
        event.preventDefault()
        register.mutate(
          {
            first_name: firstName.trim(),
            last_name: lastName.trim(),
            organization_name: organization.trim(),
            email: email.trim(),
            password,
            accept_terms: accepted,
          },
          { onSuccess: onSignedIn },
        )
      }}
    >
      <div className={css.pair}>
        <TextInput
          label={t('auth.firstName')}
          autoComplete="given-name"
          value={firstName}
          onChange={(event) => setFirstName(event.currentTarget.value)}
          maxLength={100}
          required
          withAsterisk={false}
          autoFocus
        />
        <TextInput
          label={t('auth.lastName')}
          autoComplete="family-name"
          value={lastName}
          onChange={(event) => setLastName(event.currentTarget.value)}
          maxLength={100}
          required
          withAsterisk={false}
        />
      </div>
      <TextInput
        label={t('auth.organization')}
        description={t('auth.organizationHint')}
        autoComplete="organization"
        value={organization}
        onChange={(event) => setOrganization(event.currentTarget.value)}
        maxLength={120}
        required
        withAsterisk={false}
      />
      <TextInput
        label={t('auth.email')}
        type="email"
        autoComplete="username"
        value={email}
        onChange={(event) => setEmail(event.currentTarget.value)}
        required
        withAsterisk={false}
      />
      <NewPassword
        label={t('auth.password')}
        value={password}
        onValue={setPassword}
        email={email.trim()}
        words={[firstName, lastName, organization]}
      />
      <Checkbox
        label={t('auth.terms')}
        checked={accepted}
        onChange={(event) => setAccepted(event.currentTarget.checked)}
        required
      />
      {register.isError && <Refused error={register.error} />}
      <Button type="submit" size="md" loading={register.isPending} fullWidth>
        {t('auth.signUp')}
      </Button>
    </form>
  )
}
