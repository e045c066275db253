import 'uplot/dist/uPlot.min.css'
import './chart.css'
import { useComputedColorScheme } from '@mantine/core'
import { useEffect, useRef } from 'react'
import uPlot from 'uplot'

export interface TimeChartProps {
  /** Epoch seconds, rising. */
  time: number[]
  /** One value for each time; null is a gap and is drawn as one. */
  values: (number | null)[]
  /** The window in epoch seconds, whatever the data covers. */
  from: number
  to: number
  min: number
  max: number
  format: (value: number) => string
  /** A CSS variable, e.g. `--chart-1`. */
  color: string
  /** What the picture says, in a sentence, for those who do not see it. */
  label: string
  height?: number
  /** Charts with the same key move their cursors together. */
  sync?: string
  /** The index under the cursor, null when it left. */
  onHover?: (index: number | null) => void
}

const css = (name: string) =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim()

/** A line over time on a canvas: cheap enough to redraw with every sample. */
export default function TimeChart(props: TimeChartProps) {
  const { time, values, from, to, min, max, color, label, height = 160, sync } = props
  const host = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const latest = useRef(props)
  latest.current = props
  const scheme = useComputedColorScheme('light')

  // biome-ignore lint/correctness/useExhaustiveDependencies: colours are read from CSS when the scheme changes
  useEffect(() => {
    const parent = host.current
    if (!parent) return
    const line = css(color)
    const axis = {
      stroke: css('--ink-faint'),
      font: '11px "Plex Sans", sans-serif',
      grid: { stroke: css('--line'), width: 1 },
      ticks: { show: false },
    }
    const { time: x, values: y } = latest.current
    const chart = new uPlot(
      {
        width: parent.clientWidth || 320,
        height,
        padding: [8, 8, 0, 0],
        legend: { show: false },
        cursor: { y: false, points: { size: 7 }, ...(sync ? { sync: { key: sync } } : {}) },
        scales: {
          x: { range: () => [latest.current.from, latest.current.to] },
          y: { range: () => [latest.current.min, latest.current.max] },
        },
        axes: [
          { ...axis, grid: { show: false }, size: 26, values: timeLabels },
          {
            ...axis,
            size: 46,
            splits: () => [0, 0.25, 0.5, 0.75, 1].map((part) => min + (max - min) * part),
            values: (_, splits) => splits.map((split) => latest.current.format(split)),
          },
        ],
        series: [
          {},
          {
            stroke: line,
            width: 1.6,
            fill: `${line}1c`,
            points: { show: true, size: 5, fill: line, filter: alone },
            spanGaps: false,
          },
        ],
        hooks: {
          setCursor: [(self) => latest.current.onHover?.(self.cursor.idx ?? null)],
        },
      },
      [x, y],
      parent,
    )
    plot.current = chart
    const observer = new ResizeObserver(() => {
      if (parent.clientWidth > 0) chart.setSize({ width: parent.clientWidth, height })
    })
    observer.observe(parent)
    return () => {
      observer.disconnect()
      chart.destroy()
      plot.current = null
    }
  }, [scheme, color, height, min, max, sync])

  // biome-ignore lint/correctness/useExhaustiveDependencies: the window is read by the scale when data is set
  useEffect(() => {
    plot.current?.setData([time, values])
  }, [time, values, from, to])

  return <div ref={host} role="img" aria-label={label} className="time-chart" />
}

function timeLabels(_: uPlot, splits: number[]): string[] {
  const step = splits.length > 1 ? (splits[1] ?? 0) - (splits[0] ?? 0) : 60
  const options: Intl.DateTimeFormatOptions =
    step >= 86_400
      ? { day: 'numeric', month: 'short' }
      : { hour: '2-digit', minute: '2-digit', ...(step < 60 ? { second: '2-digit' } : {}) }
  const language = document.documentElement.lang || undefined
  return splits.map((at) =>
    new Date(at * 1000).toLocaleString(language, { hour12: false, ...options }),
  )
}

/** Points without a neighbour: a line cannot show them. */
function alone(self: uPlot, series: number): number[] {
  const values = self.data[series] ?? []
  const here = (index: number) => values[index] !== null && values[index] !== undefined
  return Array.from(values, (_, index) => index).filter(
    (index) => here(index) && !here(index - 1) && !here(index + 1),
  )
}
