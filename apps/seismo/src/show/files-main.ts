// What event files promise, shown: npm run show:files -w apps/seismo -- --events 100 --saves 300 --kills 30

import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { listen } from '@tidemark/serve'
import { DeviceCache } from '../cache/device-cache.ts'
import { EventFiles } from '../event-file/event-files.ts'
import { ENCODER_VERSION, decodeEventFile, encodeEventFile } from '../event-file/file.ts'
import { eventFileName, parseEventFileName } from '../event-file/name.ts'
import type { EventRecording } from '../event-file/recording.ts'
import { openGateway } from '../gateway.ts'
import { startSimulator, type SimulatedUnit } from '../simulator/start.ts'
import { Random } from '../simulator/random.ts'
import { CHANNELS } from '../unit/client.ts'
import { kills } from './kills.ts'
import { NAME_VECTORS } from './name-vectors.ts'
import { measureSaves, recorded } from './saves.ts'

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '100' },
    saves: { type: 'string', default: '300' },
    kills: { type: 'string', default: '30' },
  },
})
const [events, saves, rounds] = [Number(values.events), Number(values.saves), Number(values.kills)]

const UNITS = 4
const RECORD_SECONDS = 3
const SAMPLE_RATE = 1024
const TARGET_RATIO = 4
const RECORDINGS = 200
const REVIEW = { reviewed: true, note: 'looked at before the encoder changed' }

const folder = mkdtempSync(join(tmpdir(), 'seismo-files-'))
const root = join(folder, 'events')
const failures: string[] = []
const must = (isMet: boolean, what: string): void => {
  if (!isMet) failures.push(what)
}

/** What is known of one file from the outside. */
interface Served {
  readonly path: string
  readonly size: number
  /** Of the bytes, and of the samples in them. */
  readonly sha256: string
  readonly samples: string
}

// 1. Units record, the gateway downloads: every waveform becomes a file.
const simulator = await startSimulator({ units: UNITS, events: 1, scale: 2000 })
const gateway = await openGateway({ path: join(folder, 'cache.db'), eventFiles: root })
const server = await listen({ name: 'show', portVariable: 'PORT' }, gateway.fetch, '127.0.0.1', 0)
const ask = async (path: string, init?: RequestInit): Promise<Response> => fetch(new URL(path, server.url), init)
const began = performance.now()
await Promise.all(simulator.units.map((unit, i) => downloadAll(unit, i)))
console.log(
  `downloaded   ${events} waveforms of ${RECORD_SECONDS} s from ${UNITS} simulated units in ${secondsSince(began)}`,
)

// 2. They are served as files, whole and in parts, and to clients that have them already.
const before = await serveAll()
must(before.length === events, `${before.length} files of ${events}`)
const bytes = before.reduce((sum, { size }) => sum + size, 0)
console.log(
  `served       ${before.length} files of ${Math.round(bytes / before.length)} bytes on average, each with the hash of its ETag`,
)

// 3. They are verified.
const { sound } = (await (await ask('/event-files/verify', { method: 'POST' })).json()) as { sound: number }
must(sound === events, `${sound} of ${events} sound`)
console.log(`verified     ${sound} sound of ${events}: file, frames and sidecar`)

// 4. Somebody reviews one; then the encoder changes, and all are made anew from their frames.
const body = JSON.stringify(REVIEW)
must((await ask(`${before[0]?.path}/review`, { method: 'PATCH', body })).ok, 'a review could be saved')
await server.close()
await gateway.close()
await simulator.stop()
const cache = await DeviceCache.open({ path: ':memory:' })
const next = new EventFiles(cache, { root, encoderVersion: ENCODER_VERSION + 1 })
const remade = performance.now()
const report = await next.store.regenerate({ terminal: process.stderr })
const took = secondsSince(remade)
must(report.written.length === events && report.failed.length === 0, `${report.written.length} of ${events} made anew`)
let same = 0
for (const { path, samples, sha256 } of before) {
  const [, , serial = '', filename = ''] = path.split('/')
  const file = await next.store.open(serial, filename)
  if (file && file.sha256 !== sha256 && samplesOf(await file.bytes()) === samples) same++
}
must(same === events, `${same} of ${events} with identical samples`)
const [, , serial = '', filename = ''] = before[0]?.path.split('/') ?? []
const review = (await next.store.info(serial, filename))?.review
must(JSON.stringify(review) === JSON.stringify(REVIEW), 'the review stayed')
console.log(
  `regenerated  ${report.written.length} in ${took} by encoder ${ENCODER_VERSION + 1}: other bytes, identical samples in ${same}; the review stayed`,
)
must((await next.store.verify()).sound === events, 'all sound after that')
await cache.close()

// 5. What a save costs beside the cheapest way to write one file that survives a power failure.
const cost = await measureSaves(join(folder, 'saves'), saves)
const ratio = cost.saveMs / cost.rawMs
must(ratio <= TARGET_RATIO, `a save costs ${ratio.toFixed(2)} raw writes`)
console.log(`
median of ${saves}, taking turns                                     ms
raw: one 8 KB file, temporary, fsync, rename, fsync of the folder   ${cost.rawMs.toFixed(3)}
the same with blocking calls                                        ${cost.rawSyncMs.toFixed(3)}
artifact: 8 KB file, 8 KB of frames, sidecar, index                 ${cost.saveMs.toFixed(3)}   ${ratio.toFixed(2)} × raw (target ≤ ${TARGET_RATIO}), ${(cost.saveMs / cost.rawSyncMs).toFixed(2)} × blocking
event file: encode ${RECORD_SECONDS} s of 4 channels and save                     ${cost.eventMs.toFixed(3)}   ${(cost.eventMs / cost.rawMs).toFixed(2)} × raw
the same again, nothing to do                                       ${cost.unchangedMs.toFixed(3)}`)

// 6. Names, recordings of any kind, and processes that are killed.
const named = NAME_VECTORS.filter(
  ([name, identity]) =>
    eventFileName(identity) === name && JSON.stringify(parseEventFileName(name)) === JSON.stringify(identity),
).length
must(named === NAME_VECTORS.length, `${named} of ${NAME_VECTORS.length} published names`)
const random = new Random(7)
let alike = 0
for (let i = 0; i < RECORDINGS; i++) {
  const recording = anyRecording(random)
  const { samples } = decodeEventFile(encodeEventFile(recording, ENCODER_VERSION))
  if (CHANNELS.every((channel) => samples[channel].join() === recording.samples[channel].join())) alike++
}
must(alike === RECORDINGS, `${alike} of ${RECORDINGS} recordings came back as they were`)
const survived = await kills(join(folder, 'killed'), rounds)
must(survived.there === survived.acknowledged, `${survived.there} of ${survived.acknowledged} acknowledged files`)
must(
  survived.isSound && survived.leftovers.length === 0,
  `sound after kills, left over: ${survived.leftovers.join(' ')}`,
)
console.log(`
names        ${named} of ${NAME_VECTORS.length} published names written and read
round trip   ${alike} of ${RECORDINGS} recordings of any counts, decoded as they were encoded
kill -9      ${rounds} processes killed in the middle: ${survived.there} of ${survived.acknowledged} acknowledged files there and whole, nothing left over`)

rmSync(folder, { recursive: true })
console.log(failures.length === 0 ? '\nAll targets met.' : `\nNOT met: ${failures.join('; ')}.`)
process.exitCode = failures.length === 0 ? 0 : 1

/** Any counts a recorder can write: small ones, and jumps from one end to the other. */
function anyRecording(from: Random): EventRecording {
  const recording = recorded(from, 0)
  const width = 2 ** (1 + Math.floor(from.next() * 16))
  const any = (): number => Math.floor((from.next() - 0.5) * width)
  const samples = Object.fromEntries(
    Object.entries(recording.samples).map(([channel, counts]) => [channel, counts.map(any)]),
  ) as unknown as EventRecording['samples']
  return { ...recording, samples }
}

async function downloadAll({ host, port }: SimulatedUnit, unit: number): Promise<void> {
  const where = `host=${host}&tcp_port=${port}`
  const config = JSON.stringify({ record_seconds: RECORD_SECONDS, sample_rate: SAMPLE_RATE })
  must((await ask(`/device/config?${where}`, { method: 'POST', body: config })).ok, 'units could be configured')
  const own = Array.from({ length: events }, (_, i) => i).filter((i) => i % UNITS === unit)
  const recorded: number[] = []
  for (const _ of own) recorded.push((await simulator.record(unit, 'waveform')).index)
  await ask(`/device/events?${where}`)
  for (const index of recorded) must((await ask(`/device/event/${index}/waveform?${where}`)).ok, `event ${index}`)
}

async function serveAll(): Promise<Served[]> {
  const { files } = (await (await ask('/event-files?limit=200')).json()) as {
    files: { serial: string; filename: string; sha256: string }[]
  }
  return Promise.all(
    files.map(async (file) => {
      const path = `/event-files/${file.serial}/${file.filename}`
      const response = await ask(path)
      const content = new Uint8Array(await response.arrayBuffer())
      const etag = response.headers.get('etag') ?? ''
      const sha256 = createHash('sha256').update(content).digest('hex')
      must(etag === `"${sha256}"` && sha256 === file.sha256, `${path} has the hash it says`)
      const part = await ask(path, { headers: { range: 'bytes=22-42' } })
      const strt = Buffer.from(await part.arrayBuffer())
      must(part.status === 206 && strt.equals(content.subarray(22, 43)), `a part of ${path}`)
      must((await ask(path, { headers: { 'if-none-match': etag } })).status === 304, `${path} for one who has it`)
      return { path, size: content.byteLength, sha256, samples: samplesOf(content) }
    }),
  )
}

function samplesOf(file: Uint8Array): string {
  const { samples } = decodeEventFile(file)
  const hash = createHash('sha256')
  for (const channel of Object.values(samples)) hash.update(Buffer.from(channel.buffer))
  return `${samples.tran.length} ${hash.digest('hex')}`
}

function secondsSince(ms: number): string {
  return `${((performance.now() - ms) / 1000).toFixed(2)} s`
}
