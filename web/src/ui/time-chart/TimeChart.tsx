import 'uplot/dist/uPlot.min.css'
import './chart.css'
import { useComputedColorScheme } from '@mantine/core'
import { useEffect, useRef } from 'react'
import uPlot from 'uplot'

/** One line over time. `time` in epoch seconds, rising; a null among `values` is a gap and is drawn as one. */
export interface TimeLine {
  time: number[]
  values: (number | null)[]
  /** A CSS variable, e.g. `--chart-1`. */
  color: string
  /** Something to compare with: drawn thinner, broken, unfilled. */
  beside?: boolean
  /** One of many: unfilled. */
  bare?: boolean
}

/** Something that happened, drawn as an upright line. */
export interface TimeMark {
  at: number
  tone: 'plain' | 'wait' | 'bad'
}

export interface Hover {
  at: number
  /** One value for each line; null where it has none. */
  values: (number | null)[]
}

export interface TimeChartProps {
  lines: TimeLine[]
  marks?: TimeMark[]
  /** The window in epoch seconds, whatever the data covers. */
  from: number
  to: number
  /** The scale; where one is absent it follows the data. */
  min?: number
  max?: number
  format: (value: number) => string
  /** What the picture says, in a sentence, for those who do not see it. */
  label: string
  height?: number
  /** Charts with the same key move their cursors together. */
  sync?: string
  /** What is under the cursor, null when it left. */
  onHover?: (hover: Hover | null) => void
  /** A window was drawn with the mouse. */
  onZoom?: (from: number, to: number) => void
}

const css = (name: string) =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim()

const MARK_COLORS = { plain: '--idle-mark', wait: '--copper-mark', bad: '--brick' }
/** Narrower than this, a drag was a click. */
const LEAST_DRAG_PX = 6

/** Lines over one time axis; those that have other times than the first are put between them. */
function joined(lines: readonly TimeLine[]): uPlot.AlignedData {
  const tables = lines.map(({ time, values }): uPlot.AlignedData => [time, values])
  return tables.length === 1 && tables[0]
    ? tables[0]
    : // 2: a null stays a gap, whatever times the other lines have.
      uPlot.join(
        tables,
        tables.map(() => [2, 2]),
      )
}

/** Lines over time on a canvas: cheap enough to redraw with every sample. */
export default function TimeChart(props: TimeChartProps) {
  const { lines, marks, from, to, label, height = 160, sync } = props
  const host = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const latest = useRef(props)
  latest.current = props
  const scheme = useComputedColorScheme('light')
  const looks = lines
    .map(({ color, beside, bare }) => `${color}${beside ? '!' : ''}${bare ? '-' : ''}`)
    .join()

  // biome-ignore lint/correctness/useExhaustiveDependencies: colours are read from CSS when the scheme changes
  useEffect(() => {
    const parent = host.current
    if (!parent) return
    const axis = {
      stroke: css('--ink-faint'),
      font: '11px "Plex Sans", sans-serif',
      grid: { stroke: css('--line'), width: 1 },
      ticks: { show: false },
    }
    const zooms = latest.current.onZoom !== undefined
    const chart = new uPlot(
      {
        width: parent.clientWidth || 320,
        height,
        padding: [8, 8, 0, 0],
        legend: { show: false },
        cursor: {
          y: false,
          points: { size: 7 },
          drag: { x: zooms, y: false, setScale: false },
          ...(sync ? { sync: { key: sync } } : {}),
        },
        scales: {
          x: { range: () => [latest.current.from, latest.current.to] },
          y: { range: (_, least, most) => rangeOf(latest.current, least, most) },
        },
        axes: [
          { ...axis, grid: { show: false }, size: 26, values: timeLabels },
          {
            ...axis,
            size: 58,
            splits: (self) => {
              const { min = 0, max = 1 } = self.scales.y ?? {}
              return [0, 0.25, 0.5, 0.75, 1].map((part) => min + (max - min) * part)
            },
            values: (_, splits) => splits.map((split) => latest.current.format(split)),
          },
        ],
        series: [
          {},
          ...latest.current.lines.map(({ color, beside, bare }): uPlot.Series => {
            const line = css(color)
            return {
              stroke: line,
              width: beside ? 1.2 : 1.6,
              ...(beside ? { dash: [5, 4] } : bare ? {} : { fill: `${line}1c` }),
              points: { show: true, size: 5, fill: line, filter: alone },
              spanGaps: false,
            }
          }),
        ],
        hooks: {
          setCursor: [(self) => latest.current.onHover?.(hoverOf(self))],
          setSelect: [
            (self) => {
              const { left, width } = self.select
              if (width < LEAST_DRAG_PX) return
              latest.current.onZoom?.(self.posToVal(left, 'x'), self.posToVal(left + width, 'x'))
              self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
            },
          ],
          draw: [(self) => drawMarks(self, latest.current.marks ?? [])],
        },
      },
      joined(latest.current.lines),
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
  }, [scheme, looks, height, sync])

  // biome-ignore lint/correctness/useExhaustiveDependencies: the window and the marks are read when data is set
  useEffect(() => {
    plot.current?.setData(joined(lines))
  }, [lines, marks, from, to])

  return <div ref={host} role="img" aria-label={label} className="time-chart" />
}

/** The given scale, or one with a little room around the data. */
function rangeOf(
  { min, max }: TimeChartProps,
  least: number | null,
  most: number | null,
): [number, number] {
  const low = min ?? least ?? 0
  const high = max ?? most ?? 1
  const room = (high - low || Math.abs(high) || 1) * 0.08
  return [min ?? (low >= 0 && low < room * 3 ? 0 : low - room), max ?? high + room]
}

function hoverOf(self: uPlot): Hover | null {
  const index = self.cursor.idx
  const at = index === null || index === undefined ? undefined : self.data[0][index]
  if (at === undefined || index === null || index === undefined) return null
  return { at, values: self.data.slice(1).map((values) => values[index] ?? null) }
}

function drawMarks(self: uPlot, marks: readonly TimeMark[]): void {
  const { ctx, bbox } = self
  ctx.save()
  ctx.lineWidth = Math.max(1, devicePixelRatio)
  for (const { at, tone } of marks) {
    const x = Math.round(self.valToPos(at, 'x', true))
    if (x < bbox.left || x > bbox.left + bbox.width) continue
    ctx.strokeStyle = css(MARK_COLORS[tone])
    ctx.fillStyle = ctx.strokeStyle
    ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio])
    ctx.beginPath()
    ctx.moveTo(x, bbox.top)
    ctx.lineTo(x, bbox.top + bbox.height)
    ctx.stroke()
    ctx.beginPath()
    ctx.arc(x, bbox.top, 3 * devicePixelRatio, 0, 2 * Math.PI)
    ctx.fill()
  }
  ctx.restore()
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
