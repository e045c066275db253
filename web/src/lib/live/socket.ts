import { createLiveTicket } from '@/api/generated'
import { isProblem } from '../problem'

export type LiveState = 'off' | 'connecting' | 'live' | 'reconnecting'

/** One measurement as it streams; the numbers of `Sample` in the wire protocol. */
export interface LiveSample {
  device_id: string
  time: string
  [field: string]: unknown
}

/** What streams on a topic: of one device, its content under the name of its kind. */
export interface LiveMessage {
  device_id: string
  [field: string]: unknown
}

/** The kinds of messages, and below the device the topic that each belongs to. */
const KINDS = {
  sample: 'metrics',
  log: 'logs',
  execution: 'executions',
  event: 'events',
} as const

export interface LiveHooks {
  /** Paths that changed on the server, e.g. `devices/dev_…/shadow`. */
  changed: (paths: string[]) => void
  /** The socket is back after a gap: anything may have changed unseen. */
  resumed: () => void
}

const BASE_MS = 500
const CEILING_MS = 20_000
/** A connection that lasted this long was a good one: the next loss starts at the short delays again. */
const GOOD_MS = 5_000

/** Full jitter: a random time up to the exponential ceiling, so that a restart is not met by everybody at once. */
export const backoff = (attempt: number, random = Math.random): number =>
  Math.max(200, random() * Math.min(CEILING_MS, BASE_MS * 2 ** attempt))

/**
 * The one socket of the page. It is asked for with a one-use ticket, since a browser cannot put a header on a
 * WebSocket and a token does not belong in a URL.
 */
export class LiveSocket {
  private state: LiveState = 'off'
  private socket: WebSocket | null = null
  private attempt = 0
  private timer: ReturnType<typeof setTimeout> | undefined
  private wasLive = false
  private generation = 0
  private readonly watchers = new Set<() => void>()
  private readonly topics = new Map<string, Set<(message: LiveMessage) => void>>()

  constructor(private readonly hooks: LiveHooks) {}

  getState = (): LiveState => this.state

  watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher)
    return () => this.watchers.delete(watcher)
  }

  start(): void {
    if (this.state !== 'off') return
    this.become('connecting')
    window.addEventListener('online', this.hurry)
    void this.open()
  }

  stop(): void {
    this.generation += 1
    clearTimeout(this.timer)
    window.removeEventListener('online', this.hurry)
    const socket = this.socket
    // Forgotten before it is closed: its `onclose` must not take this for a loss and reconnect.
    this.socket = null
    socket?.close(1000)
    this.attempt = 0
    this.wasLive = false
    this.become('off')
  }

  /** What streams on one topic (`devices/{id}/metrics`) until the returned function is called. */
  subscribe(topic: string, listener: (message: LiveMessage) => void): () => void {
    const listeners = this.topics.get(topic) ?? new Set()
    if (listeners.size === 0) this.send({ subscribe: [topic] })
    listeners.add(listener)
    this.topics.set(topic, listeners)
    return () => {
      listeners.delete(listener)
      if (listeners.size > 0) return
      this.topics.delete(topic)
      this.send({ unsubscribe: [topic] })
    }
  }

  private become(state: LiveState): void {
    if (this.state === state) return
    this.state = state
    for (const watcher of this.watchers) watcher()
  }

  private send(message: object): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message))
  }

  private hurry = (): void => {
    if (this.state !== 'reconnecting') return
    clearTimeout(this.timer)
    this.attempt = 0
    void this.open()
  }

  private async open(): Promise<void> {
    this.generation += 1
    const generation = this.generation
    let ticket: string
    try {
      ticket = (await createLiveTicket({ throwOnError: true })).data.ticket
    } catch (error) {
      if (generation !== this.generation) return
      if (isProblem(error) && error.status === 401) return this.stop()
      return this.later()
    }
    if (generation !== this.generation) return
    const scheme = window.location.protocol === 'https:' ? 'wss' : 'ws'
    const url = `${scheme}://${window.location.host}/live?ticket=${encodeURIComponent(ticket)}`
    const socket = new WebSocket(url)
    this.socket = socket
    let openedAt = 0
    socket.onopen = () => {
      openedAt = Date.now()
      if (this.topics.size > 0) this.send({ subscribe: [...this.topics.keys()] })
      if (this.wasLive) this.hooks.resumed()
      this.wasLive = true
      this.become('live')
    }
    socket.onmessage = (event) => this.receive(String(event.data))
    socket.onclose = () => {
      if (socket !== this.socket) return
      this.socket = null
      if (openedAt > 0 && Date.now() - openedAt > GOOD_MS) this.attempt = 0
      this.later()
    }
  }

  private later(): void {
    this.become('reconnecting')
    const delay = backoff(this.attempt)
    this.attempt += 1
    clearTimeout(this.timer)
    this.timer = setTimeout(() => void this.open(), delay)
  }

  private receive(text: string): void {
    let message: { changed?: unknown } & { [kind in keyof typeof KINDS]?: LiveMessage }
    try {
      message = JSON.parse(text)
    } catch {
      return
    }
    if (Array.isArray(message.changed)) this.hooks.changed(message.changed.map(String))
    for (const [kind, below] of Object.entries(KINDS)) {
      const content = message[kind as keyof typeof KINDS]
      if (!content?.device_id) continue
      const listeners = this.topics.get(`devices/${content.device_id}/${below}`)
      for (const listener of listeners ?? []) listener(content)
    }
  }
}
