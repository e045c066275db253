import { useLocation, useNavigate } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { tokenOf } from '@/features/auth'

/** The token of a mail's link. It is taken out of the address bar, so that no screenshot or bookmark carries it on. */
export function useLinkToken(): string | null {
  const hash = useLocation({ select: (location) => location.hash })
  const navigate = useNavigate()
  const [token, setToken] = useState(() => tokenOf(hash))
  useEffect(() => {
    const found = tokenOf(hash)
    if (!found) return
    setToken(found)
    void navigate({ to: '.', hash: '', replace: true })
  }, [hash, navigate])
  return token
}
