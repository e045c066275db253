export { LiveProvider, useLiveSamples, useLiveState, usePollWhenNotLive } from './LiveProvider'
export type { LiveSample, LiveState } from './socket'
