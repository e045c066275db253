export {
  LiveProvider,
  useLiveSamples,
  useLiveState,
  usePollWhenNotLive,
  useTopic,
} from './LiveProvider'
export type { LiveMessage, LiveSample, LiveState } from './socket'
