import { expect, it } from 'vitest'
import { joinSeries, latestOf } from './model'

const history = {
  device_id: 'dev_one',
  from: '',
  to: '',
  step: 10,
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
  const series = joinSeries(history, [point(150, 99), point(205, 5)], 30)
  // 120 was not measured; 110 -> 200 is longer than the gap; 150 is older than what history already tells.
  expect(series.time).toEqual([100, 110, 125, 200, 205])
  expect(series.values.cpu_percent).toEqual([1, 2, null, 4, 5])
  expect(latestOf(series, 'memory_percent')).toBe(8)
})
