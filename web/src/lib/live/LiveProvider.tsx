import { useQueryClient } from '@tanstack/react-query'
import {
  createContext,
  type ReactNode,
  useContext,
  useEffect,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react'
import { createInvalidator } from './invalidate'
import { type LiveMessage, type LiveSample, LiveSocket, type LiveState } from './socket'

const LiveContext = createContext<LiveSocket | null>(null)

/** Keeps the live socket open while its children are shown. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const queryClient = useQueryClient()
  const [socket] = useState(
    () =>
      new LiveSocket({
        changed: createInvalidator(queryClient),
        resumed: () => void queryClient.invalidateQueries(),
      }),
  )
  useEffect(() => {
    socket.start()
    return () => socket.stop()
  }, [socket])
  return <LiveContext value={socket}>{children}</LiveContext>
}

const never = () => () => undefined

export function useLiveState(): LiveState {
  const socket = useContext(LiveContext)
  return useSyncExternalStore(socket?.watch ?? never, socket?.getState ?? (() => 'off'))
}

/** How often to ask again for something that changes: not at all while the socket tells us. */
export function usePollWhenNotLive(everyMs: number): number | false {
  return useLiveState() === 'live' ? false : everyMs
}

/** What streams on a topic, while the component is there. */
export function useTopic(topic: string, listener: (message: LiveMessage) => void): void {
  const socket = useContext(LiveContext)
  const latest = useRef(listener)
  useEffect(() => {
    latest.current = listener
  })
  useEffect(() => socket?.subscribe(topic, (message) => latest.current(message)), [socket, topic])
}

export const useLiveSamples = (deviceId: string, listener: (sample: LiveSample) => void): void =>
  useTopic(`devices/${deviceId}/metrics`, (message) => listener(message as LiveSample))
