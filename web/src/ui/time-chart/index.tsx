import { Skeleton } from '@mantine/core'
import { lazy, Suspense } from 'react'
import type { Hover, TimeChartProps, TimeLine, TimeMark } from './TimeChart'

const Chart = lazy(() => import('./TimeChart'))

export const TimeChart = (props: TimeChartProps) => (
  <Suspense fallback={<Skeleton height={props.height ?? 160} />}>
    <Chart {...props} />
  </Suspense>
)
export type { Hover, TimeChartProps, TimeLine, TimeMark }
