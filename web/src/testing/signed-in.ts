import { signedIn } from '@/lib/session'
import { instance, profile, session } from './samples'
import { api, HttpResponse, http, server } from './server'

/** Signs in and answers what every page asks for. */
export function beSignedIn(
  instanceChange: object = {},
  profileChange: Parameters<typeof profile>[0] = {},
) {
  signedIn(session())
  server.use(
    http.get(api('/auth/profile'), () => HttpResponse.json(profile(profileChange))),
    http.get(api('/instance'), () => HttpResponse.json(instance(instanceChange))),
    http.post(api('/live/ticket'), () => HttpResponse.json({ ticket: 't', expires_in: 30 })),
  )
}
