import { expect, it } from 'vitest'
import { joinSeries, latestOf, pointOf, shifted, stepFor, unitOf } from './model'

const METRICS = ['cpu_percent', 'memory_percent']
const history = {
  metrics: {
    time: [100, 110, 120, 200],
    cpu_percent: [1, 2, null, 4],
    memory_percent: [9, 9, null, 9],
  },
}

it('continues history with live points and draws silence as a gap', () => {
  const point = (at: number, cpu: number) => ({
    at,
    values: { cpu_percent: cpu, memory_percent: 8 },
  })
  const series = joinSeries(history, [point(150, 99), point(205, 5)], 30, METRICS)
  // 120 was not measured; 110 -> 200 is longer than the gap; 150 is older than what history already tells.
  expect(series.time).toEqual([100, 110, 125, 200, 205])
  expect(series.values.cpu_percent).toEqual([1, 2, null, 4, 5])
  expect(latestOf(series.values.memory_percent)).toBe(8)
  expect(shifted(series, 1_000).time[0]).toBe(1_100)
})

it('reads system and custom numbers of a live sample', () => {
  const sample = {
    device_id: 'dev_one',
    time: '1970-01-01T00:01:40Z',
    cpu_percent: 12,
    custom: { pressure: 3.5 },
  }
  expect(pointOf(sample, ['cpu_percent', 'custom.pressure', 'absent'])).toEqual({
    at: 100,
    values: { cpu_percent: 12, 'custom.pressure': 3.5, absent: null },
  })
  expect(pointOf({ ...sample, time: 'soon' }, [])).toBeNull()
})

it('knows a unit by its name, and a step by the length of the window', () => {
  expect(['cpu_percent', 'memory_used_bytes', 'pressure'].map(unitOf)).toEqual([
    'percent',
    'bytes',
    'number',
  ])
  expect([900, 3_600, 86_400, 2_592_000, 40_000_000].map(stepFor)).toEqual([
    10, 10, 300, 7_200, 86_400,
  ])
})
