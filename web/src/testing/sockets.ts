import { vi } from 'vitest'

/** A WebSocket in the hands of the test: `latest()` is the page's, `say` speaks as the server. */
export class FakeSocket {
  static all: FakeSocket[] = []
  static readonly OPEN = 1
  readyState = 0
  sent: unknown[] = []
  onopen: (() => void) | null = null
  onmessage: ((event: { data: string }) => void) | null = null
  onclose: (() => void) | null = null

  constructor(readonly url: string) {
    FakeSocket.all.push(this)
  }
  send(text: string) {
    this.sent.push(JSON.parse(text))
  }
  open() {
    this.readyState = 1
    this.onopen?.()
  }
  say(message: object) {
    this.onmessage?.({ data: JSON.stringify(message) })
  }
  close() {
    this.readyState = 3
    this.onclose?.()
  }
}

export function fakeSockets() {
  FakeSocket.all = []
  vi.stubGlobal('WebSocket', FakeSocket)
  return { latest: () => FakeSocket.all.at(-1), all: () => FakeSocket.all }
}
