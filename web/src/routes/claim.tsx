import { createFileRoute, redirect } from '@tanstack/react-router'
import { Logo } from '@/app/Logo'
import { ScannedPage } from '@/features/provisioning'
import { codeOfHash, keepClaimCode } from '@/lib/claim-code'
import { hasSession } from '@/lib/session'

/** What a label's QR code opens, `/claim#PROV-…`: says what it is, and goes on behind the login. */
export const Route = createFileRoute('/claim')({
  beforeLoad: ({ location }) => {
    const code = codeOfHash(location.hash)
    if (code) keepClaimCode(code)
    if (hasSession()) throw redirect({ to: '/devices/claim', replace: true })
    if (location.hash) throw redirect({ to: '/claim', hash: '', replace: true })
  },
  component: () => <ScannedPage mark={<Logo />} />,
})
