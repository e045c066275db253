import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { Failed, Lines } from './states'

interface ReadingProps<T> {
  query: Pick<UseQueryResult<T>, 'data' | 'error' | 'isPending' | 'refetch'>
  lines?: number
  children: (data: T) => ReactNode
}

/** What a query read; while it is on its way and where it failed, the states that say so. Old beats nothing. */
export function Reading<T>({ query, lines = 4, children }: ReadingProps<T>) {
  if (query.data !== undefined) return <>{children(query.data)}</>
  if (query.isPending) {
    return (
      <div style={{ padding: 16 }}>
        <Lines count={lines} />
      </div>
    )
  }
  return <Failed error={query.error} onRetry={() => void query.refetch()} />
}
