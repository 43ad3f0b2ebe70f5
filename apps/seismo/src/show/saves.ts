// What saving a file costs, beside the cheapest way to write one that survives a power failure. The rivals take turns, so
// that whatever else the machine does is done to all of them.

import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { createTidemark, memory } from 'tidemark'
import { DeviceCache } from '../cache/device-cache.ts'
import { EventFiles } from '../event-file/event-files.ts'
import { framesOf } from '../event-file/frames.ts'
import { blast } from '../simulator/blast.ts'
import { SCALE } from '../simulator/channels.ts'
import { Random } from '../simulator/random.ts'
import type { EventRecording } from '../event-file/recording.ts'

/** Medians, in milliseconds. */
export interface SaveCost {
  /** One file by awaited calls: temporary, fsync, rename, fsync of the folder. */
  readonly rawMs: number
  /** The same with calls that block. */
  readonly rawSyncMs: number
  /** A file with its frames and its sidecar. */
  readonly saveMs: number
  /** An event of 3 s, encoded and saved. */
  readonly eventMs: number
  /** The same event again. */
  readonly unchangedMs: number
}

const FILE_BYTES = 8 * 1024
const WARM_UP = 20

/** Measures in a folder that does not exist yet. */
export async function measureSaves(folder: string, rounds: number): Promise<SaveCost> {
  const raw = join(folder, 'raw')
  mkdirSync(raw, { recursive: true })
  const tide = createTidemark({ tiers: [memory()] })
  const files = tide.artifacts({
    name: 'files',
    root: join(folder, 'saved'),
    folder: () => 'unit-7',
    filename: (number: number) => `n${number}.bin`,
    time: () => '2026-05-01T13:16:34',
    encode: (frames: readonly Uint8Array[]) => frames[0] as Uint8Array,
    encoderVersion: 1,
    source: { version: 1, encode: ([bytes]) => bytes as Uint8Array, decode: (bytes) => [bytes] },
  })
  const cache = await DeviceCache.open({ path: ':memory:' })
  const { store } = new EventFiles(cache, { root: join(folder, 'events') })
  const random = new Random(1)
  const times: Record<keyof SaveCost, number[]> = { rawMs: [], rawSyncMs: [], saveMs: [], eventMs: [], unchangedMs: [] }
  for (let i = 0; i < rounds + WARM_UP; i++) {
    const took = async (what: keyof SaveCost, work: () => unknown): Promise<void> => {
      const began = performance.now()
      await work()
      if (i >= WARM_UP) times[what].push(performance.now() - began)
    }
    const bytes = randomBytes(FILE_BYTES)
    const event = { serial: 'BE11529', recording: recorded(random, i), project: undefined }
    await took('rawMs', () => writeRaw(raw, `a${i}`, bytes))
    await took('rawSyncMs', () => writeRawSync(raw, `s${i}`, bytes))
    await took('saveMs', () => files.save(i, [bytes]))
    await took('eventMs', () => store.save(event, framesOf(event.recording)))
    await took('unchangedMs', () => store.save(event, framesOf(event.recording)))
  }
  await Promise.all([tide.close(), cache.close()])
  const median = (what: keyof SaveCost): number => times[what].toSorted((a, b) => a - b)[rounds >> 1] as number
  return {
    rawMs: median('rawMs'),
    rawSyncMs: median('rawSyncMs'),
    saveMs: median('saveMs'),
    eventMs: median('eventMs'),
    unchangedMs: median('unchangedMs'),
  }
}

async function writeRaw(folder: string, name: string, bytes: Uint8Array): Promise<void> {
  const temporary = join(folder, `${name}.tmp`)
  const file = await open(temporary, 'wx', 0o600)
  await file.write(bytes)
  await file.sync()
  await file.close()
  await rename(temporary, join(folder, name))
  const directory = await open(folder, 'r')
  await directory.sync()
  await directory.close()
}

function writeRawSync(folder: string, name: string, bytes: Uint8Array): void {
  const temporary = join(folder, `${name}.tmp`)
  const file = openSync(temporary, 'wx', 0o600)
  writeSync(file, bytes)
  fsyncSync(file)
  closeSync(file)
  renameSync(temporary, join(folder, name))
  const directory = openSync(folder, 'r')
  fsyncSync(directory)
  closeSync(directory)
}

/** Another blast each time, an hour after the one before. */
export function recorded(random: Random, i: number): EventRecording {
  const config = { sampleRate: 1024, recordSeconds: 3, triggerLevel: 0.1 }
  const samples = blast(random, { ...config, project: '', client: '', operator: '', location: '' })
  const time = new Date(Date.UTC(2026, 0, 1) + i * 3_600_000).toISOString().slice(0, 19)
  const waveformKey = (0x0111_0000 + i).toString(16).padStart(8, '0')
  return { waveformKey, time, sampleRate: 1024, pretriggerSeconds: 0.25, samples, scale: SCALE }
}
