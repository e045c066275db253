import type { ExecutionDocument, ExecutionNode } from '@/api/generated'
import type { Tone } from '@/ui'

export const EXECUTION_STATES = ['running', 'succeeded', 'failed', 'cancelled'] as const
export type ExecutionState = (typeof EXECUTION_STATES)[number]

export interface Execution extends Omit<ExecutionDocument, 'status'> {
  status: ExecutionState
}
export interface ExecutionDetail extends Execution {
  nodes: ExecutionNode[]
}
export type { ExecutionNode }

/** What is asked for; all of it stands in the address. */
export interface ExecutionFilters {
  status?: ExecutionState
  flow_id?: string
}

export function toneOf(status: string): Tone {
  switch (status) {
    case 'succeeded':
      return 'good'
    case 'failed':
      return 'bad'
    case 'running':
      return 'wait'
    default:
      return 'plain'
  }
}

/** Seconds it ran, undefined while it does. */
export const ranSeconds = ({ started_at, finished_at }: Execution): number | undefined =>
  finished_at ? Math.max(0, (Date.parse(finished_at) - Date.parse(started_at)) / 1000) : undefined

export interface Bar {
  node: ExecutionNode
  /** Where it begins and how long it is, each as a share of the whole. */
  left: number
  width: number
}

/** Nodes as bars on one time axis, in the order in which they began. */
export function barsOf(nodes: readonly ExecutionNode[]): Bar[] {
  const begun = nodes.map((node) => Date.parse(node.started_at))
  const first = Math.min(...begun)
  const last = Math.max(...nodes.map((node, index) => (begun[index] ?? 0) + node.duration_ms))
  const whole = Math.max(1, last - first)
  return nodes
    .map((node, index) => ({
      node,
      left: ((begun[index] ?? first) - first) / whole,
      width: node.duration_ms / whole,
    }))
    .sort((a, b) => a.left - b.left)
}
