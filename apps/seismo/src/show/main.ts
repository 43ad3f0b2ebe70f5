// What the cache saves and what it promises, over a working day of dashboards on a simulated fleet:
// npm run show -w apps/seismo -- --hours 8 --viewers 10 --units 24 --scale 20 --max-age 10
//
// The viewers say, as the gateway's own page does, that a list will do whose unit was asked at most 10 s ago.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { startSimulator } from '../simulator/start.ts'
import { ask, machineMs } from './answer.ts'
import { Day } from './day.ts'
import type { Fared } from './gateway-main.ts'
import { lineMsWithout } from './line-cost.ts'
import { outdatedAnswers } from './tally.ts'
import { stampOf, type Listed } from './viewer.ts'
import { Viewers } from './viewers.ts'

const { values } = parseArgs({
  options: {
    hours: { type: 'string', default: '8' },
    viewers: { type: 'string', default: '10' },
    units: { type: 'string', default: '24' },
    scale: { type: 'string', default: '20' },
    'max-age': { type: 'string', default: '10' },
  },
})
const given = [values.hours, values.viewers, values.units, values.scale, values['max-age']]
const [hours, viewerCount, unitCount, scale, maxAge] = given.map(Number) as [number, number, number, number, number]

const TARGET_FACTOR = 20
const TARGET_P99_MS = 5
const ERASES = 2
const RECORDINGS_PER_UNIT_AND_HOUR = 0.5
/** Until the processes of all viewers are there. */
const HEAD_START_MS = 2000

const folder = mkdtempSync(join(tmpdir(), 'seismo-show-'))
const simulator = await startSimulator({ units: unitCount, scale })
const gateway = fork(fileURLToPath(new URL('gateway-main.ts', import.meta.url)), [folder, String(scale)])
const [{ url }] = (await once(gateway, 'message')) as [{ url: string }]
const origin = url.replace(/\/$/, '')
console.log(
  `${unitCount} units at real latencies ÷ ${scale}, ${viewerCount} viewers with a dashboard of each, content with lists of the last ${maxAge} s, ${hours} h of a working day in ${Math.round((hours * 60) / scale)} min …`,
)

const beganMs = machineMs() + HEAD_START_MS
const viewers = new Viewers(viewerCount, { origin, units: simulator.units, hours, scale, maxAge, beganMs })
const day = new Day(hours, scale, beganMs, 0)
await day.until(0)
await howFared()
const [tally] = await Promise.all([viewers.tally(), eraseTwo(), recordSome()])
const fared = await howFared()
gateway.disconnect()
await once(gateway, 'exit')
const used = await simulator.counters()
const without = await lineMsWithout(tally, simulator)
await simulator.stop()
rmSync(folder, { recursive: true })

const factor = without / used.lineMs
const outdated = outdatedAnswers(tally)
const [p50, p99, max] = percentiles(tally.cachedMs, [0.5, 0.99, 1])
const { status, events, waveform } = tally.requests
console.log(`
requests             ${status} status, ${events} event lists, ${waveform} waveforms; ${tally.failures} failed
conversations        ${used.conversations.status} status, ${used.conversations.range} probes, ${used.conversations.events} lists or tails, ${used.conversations.waveform} waveforms; ${used.overlaps} overlapped
seconds on the line  ${Math.round(used.lineMs / 1000)} with the cache, ${Math.round(without / 1000)} without: ${factor.toFixed(1)} times fewer (target ${TARGET_FACTOR})
after ${ERASES} erases       ${outdated} answers with an event of a life that a probe had found over (target 0)
cached reads         ${tally.cachedMs.length}: p50 ${p50?.toFixed(2)} ms, p99 ${p99?.toFixed(2)} ms (target < ${TARGET_P99_MS}), max ${max?.toFixed(1)} ms
gateway              ${(fared.cpuMs / (status + events + waveform)).toFixed(2)} ms of processor a request; its event loop was held up for ${fared.stallMs.toFixed(1)} ms at most`)
const isMet = factor >= TARGET_FACTOR && outdated === 0 && tally.failures === 0 && (p99 ?? Infinity) < TARGET_P99_MS
console.log(isMet ? '\nAll targets met.' : '\nNOT all targets met.')
process.exitCode = isMet ? 0 : 1

/** Of the gateway, since this was called last. */
async function howFared(): Promise<Fared> {
  gateway.send('how')
  const [said] = (await once(gateway, 'message')) as [Fared]
  return said
}

/** At a third and two thirds of the day somebody erases a unit at its panel, and blasts fill it to the same count. */
async function eraseTwo(): Promise<void> {
  for (let i = 1; i <= ERASES; i++) {
    await day.until((day.seconds * i) / (ERASES + 1))
    const unit = Math.floor(day.random() * unitCount)
    const { host, port } = simulator.units[unit] as (typeof simulator.units)[number]
    const { body } = await ask(`${origin}/device/events?host=${host}&tcp_port=${port}`)
    const listed = (JSON.parse(body.toString()) as { events: Listed[] }).events
    await viewers.erased(unit, listed.map(stampOf))
    await simulator.erase(unit)
    await simulator.refill(unit, listed.length)
  }
}

async function recordSome(): Promise<void> {
  const total = Math.round(unitCount * hours * RECORDINGS_PER_UNIT_AND_HOUR)
  for (let i = 1; i <= total; i++) {
    await day.until((day.seconds * i) / (total + 1))
    // A unit that is full records no more.
    await simulator.record(Math.floor(day.random() * unitCount)).catch(() => {})
  }
}

function percentiles(samples: readonly number[], shares: readonly number[]): (number | undefined)[] {
  const sorted = samples.toSorted((a, b) => a - b)
  return shares.map((share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))])
}
