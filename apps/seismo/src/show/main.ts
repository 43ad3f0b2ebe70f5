// What the cache saves and what it promises, over a working day of dashboards on a simulated fleet:
// npm run show -w apps/seismo -- --hours 8 --viewers 10 --units 24 --scale 20

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { startSimulator, type Simulator } from '../simulator/start.ts'
import { Day, type Tally } from './day.ts'
import { measureLineCost } from './line-cost.ts'
import { watch } from './viewer.ts'

const { values } = parseArgs({
  options: {
    hours: { type: 'string', default: '8' },
    viewers: { type: 'string', default: '10' },
    units: { type: 'string', default: '24' },
    scale: { type: 'string', default: '20' },
  },
})
const [hours, viewers, units, scale] = [values.hours, values.viewers, values.units, values.scale].map(Number) as [
  number,
  number,
  number,
  number,
]

const TARGET_FACTOR = 20
const TARGET_P99_MS = 5
const ERASES = 2
const RECORDINGS_PER_UNIT_AND_HOUR = 0.5

const folder = mkdtempSync(join(tmpdir(), 'seismo-show-'))
const simulator = await startSimulator({ units, scale })
const gateway = fork(fileURLToPath(new URL('gateway-main.ts', import.meta.url)), [
  join(folder, 'cache.db'),
  String(scale),
])
const [{ port }] = (await once(gateway, 'message')) as [{ port: number }]
console.log(
  `${units} units at real latencies ÷ ${scale}, ${viewers} dashboards, ${hours} h of a working day in ${Math.round((hours * 60) / scale)} min …`,
)

const day = new Day(`http://127.0.0.1:${port}`, simulator.units, hours, scale)
const dashboards = Array.from({ length: viewers * units }, (_, i) => watch(day, i % units))
const [, erased] = await Promise.all([Promise.all(dashboards), eraseTwo(day, simulator), recordSome(day, simulator)])
const used = await simulator.counters()
const without = await lineMsWithout(day.tally, simulator)
await new Promise<void>((resolve) => {
  gateway.once('exit', () => resolve())
  gateway.disconnect()
})
await simulator.stop()
rmSync(folder, { recursive: true })

const factor = without / used.lineMs
const [p50, p99, max] = percentiles(day.tally.cachedMs, [0.5, 0.99, 1])
const { status, events, waveform } = day.tally.requests
console.log(`
requests             ${status} status, ${events} event lists, ${waveform} waveforms; ${day.tally.failures} failed
conversations        ${used.conversations.status} status, ${used.conversations.range} probes, ${used.conversations.events} lists or tails, ${used.conversations.waveform} waveforms; ${used.overlaps} overlapped
seconds on the line  ${Math.round(used.lineMs / 1000)} with the cache, ${Math.round(without / 1000)} without: ${factor.toFixed(1)} times fewer (target ${TARGET_FACTOR})
after ${erased} erases       ${day.tally.outdated} answers with an event of a life that a probe had found over (target 0)
cached reads         ${day.tally.cachedMs.length}: p50 ${p50?.toFixed(2)} ms, p99 ${p99?.toFixed(2)} ms (target < ${TARGET_P99_MS}), max ${max?.toFixed(1)} ms`)
const isMet =
  factor >= TARGET_FACTOR && day.tally.outdated === 0 && day.tally.failures === 0 && (p99 ?? Infinity) < TARGET_P99_MS
console.log(isMet ? '\nAll targets met.' : '\nNOT all targets met.')
process.exitCode = isMet ? 0 : 1

/** At a third and two thirds of the day somebody erases a unit at its panel, and blasts fill it to the same count. */
async function eraseTwo(the: Day, fleet: Simulator): Promise<number> {
  for (let i = 1; i <= ERASES; i++) {
    await the.until((the.seconds * i) / (ERASES + 1))
    const unit = Math.floor(the.random() * units)
    const count = await countOf(fleet, unit)
    the.erased(unit)
    await fleet.erase(unit)
    await fleet.refill(unit, count)
  }
  return ERASES
}

async function countOf(fleet: Simulator, unit: number): Promise<number> {
  const { host, port: tcpPort } = fleet.units[unit] as (typeof fleet.units)[number]
  const answer = await fetch(`http://127.0.0.1:${port}/device/events?host=${host}&tcp_port=${tcpPort}`)
  return ((await answer.json()) as { count: number }).count
}

async function recordSome(the: Day, fleet: Simulator): Promise<void> {
  const total = Math.round(units * hours * RECORDINGS_PER_UNIT_AND_HOUR)
  for (let i = 1; i <= total; i++) {
    await the.until((the.seconds * i) / (total + 1))
    // A unit that is full records no more.
    await fleet.record(Math.floor(the.random() * units)).catch(() => {})
  }
}

/** What the same requests cost when each goes to the unit: every kind measured once on every unit, past the cache. */
async function lineMsWithout(tally: Tally, fleet: Simulator): Promise<number> {
  const costs = await Promise.all(
    fleet.units.map((_, unit) => measureLineCost(fleet, unit, tally.waveforms.get(unit)?.keys() ?? [])),
  )
  const mean = (pick: (cost: (typeof costs)[number]) => number): number =>
    costs.reduce((sum, cost) => sum + pick(cost), 0) / costs.length
  let waveforms = 0
  for (const [unit, byIndex] of tally.waveforms) {
    for (const [index, times] of byIndex) waveforms += times * (costs[unit]?.waveforms.get(index) ?? 0)
  }
  return tally.requests.status * mean((it) => it.status) + tally.requests.events * mean((it) => it.events) + waveforms
}

function percentiles(samples: readonly number[], shares: readonly number[]): (number | undefined)[] {
  const sorted = samples.toSorted((a, b) => a - b)
  return shares.map((share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))])
}
