import { Button, Checkbox, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { AcceptedInvitation, InvitationPreview } from '@/api/generated'
import {
  AuthFrame,
  BadLink,
  NewPassword,
  needsCode,
  profileQuery,
  useLogin,
  useSwitchOrganization,
} from '@/features/auth'
import { hasSession } from '@/lib/session'
import { Note, Reading, Refused } from '@/ui'
import css from './parts/members.module.css'
import { previewQuery, useAccept } from './queries'

interface AcceptInvitationPageProps {
  mark: ReactNode
  token: string | null
  /** Into the console, where a session of the new organization is open. */
  onEntered: () => void
}

/** The link of an invitation: join with the account of its address, or make that account here. */
export function AcceptInvitationPage({ mark, token, onEntered }: AcceptInvitationPageProps) {
  const { t } = useTranslation()
  const preview = useQuery(previewQuery(token))
  const [arrived, setArrived] = useState<AcceptedInvitation | null>(null)
  return (
    <AuthFrame
      mark={mark}
      title={t('invitation.title')}
      lead={
        preview.data &&
        t('invitation.lead', {
          organization: preview.data.organization_name,
          email: preview.data.email,
        })
      }
    >
      {!token ? (
        <BadLink />
      ) : arrived ? (
        <Arrived arrived={arrived} onEntered={onEntered} />
      ) : preview.isError ? (
        <Refused error={preview.error} />
      ) : (
        <Reading query={preview}>
          {(data) => (
            <Join token={token} preview={data} onArrived={setArrived} onEntered={onEntered} />
          )}
        </Reading>
      )}
    </AuthFrame>
  )
}

interface JoinProps {
  token: string
  preview: InvitationPreview
  onArrived: (arrived: AcceptedInvitation) => void
  onEntered: () => void
}

function Join({ token, preview, onArrived, onEntered }: JoinProps) {
  const { t } = useTranslation()
  const [firstName, setFirstName] = useState('')
  const [lastName, setLastName] = useState('')
  const [password, setPassword] = useState('')
  const [accepted, setAccepted] = useState(false)
  const accept = useAccept()
  const login = useLogin()
  const join = () => {
    if (preview.has_account) return accept.mutate({ token }, { onSuccess: onArrived })
    accept.mutate(
      {
        token,
        first_name: firstName.trim(),
        last_name: lastName.trim(),
        password,
        accept_terms: accepted || null,
      },
      {
        onSuccess: (arrived) =>
          login.mutate(
            { email: preview.email, password },
            {
              onSuccess: (answer) => (needsCode(answer) ? onArrived(arrived) : onEntered()),
              onError: () => onArrived(arrived),
            },
          ),
      },
    )
  }
  return (
    <form
      className={css.form}
      onSubmit={(event) => {
        event.preventDefault()
        join()
      }}
    >
      {!preview.has_account && (
        <>
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
          <NewPassword
            label={t('auth.password')}
            value={password}
            onValue={setPassword}
            email={preview.email}
            words={[firstName, lastName, preview.organization_name]}
          />
          <Checkbox
            label={t('auth.terms')}
            checked={accepted}
            onChange={(event) => setAccepted(event.currentTarget.checked)}
            required
          />
        </>
      )}
      {accept.isError && <Refused error={accept.error} />}
      <Button
        type="submit"
        size="md"
        fullWidth
        // Of a session on this browser the joiner may be another: joining needs none.
        loading={accept.isPending || login.isPending}
      >
        {t('invitation.join', { organization: preview.organization_name })}
      </Button>
    </form>
  )
}

/** The account was there before: enter the organization with this browser's session if it is the same person's. */
function Arrived({ arrived, onEntered }: { arrived: AcceptedInvitation; onEntered: () => void }) {
  const { t } = useTranslation()
  const me = useQuery({ ...profileQuery, enabled: hasSession() })
  const enter = useSwitchOrganization()
  const same = me.data?.id === arrived.user_id
  return (
    <div className={css.form}>
      <Note
        tone="good"
        title={t('invitation.joined', { organization: arrived.organization_name })}
        role="status"
      >
        {t('invitation.as', { role: t(`roles.${arrived.role}.name`) })}
      </Note>
      {me.data && !same && (
        <Note>{t('invitation.otherSession', { email: arrived.email, other: me.data.email })}</Note>
      )}
      {enter.isError && <Refused error={enter.error} />}
      {same ? (
        <Button
          size="md"
          fullWidth
          loading={enter.isPending}
          onClick={() => enter.mutate(arrived.organization_id, { onSuccess: onEntered })}
        >
          {t('invitation.enter', { organization: arrived.organization_name })}
        </Button>
      ) : (
        !me.data && (
          <Button
            size="md"
            fullWidth
            renderRoot={(props) => (
              <Link to="/login" search={{ organization: arrived.organization_id }} {...props} />
            )}
          >
            {t('auth.signIn')}
          </Button>
        )
      )}
    </div>
  )
}
