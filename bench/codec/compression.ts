// When compressing pays: what it takes and what it leaves, by kind and size of value.

import { randomBytes } from 'node:crypto'
import type { CompressionAlgorithm } from '../../src/codec/compression.ts'
import { pack, unpack } from '../../src/codec/packed.ts'
import { encodeValue, type Encoded } from '../../src/codec/value.ts'
import type { Report, Row, Table } from '../report.ts'
import { inTurns, median, type Contender } from '../rounds.ts'

const SIZES = [1_000, 4_000, 16_000, 64_000, 1_000_000]
const OPERATIONS = 20
const TURNS = { rounds: 15, warmUp: 3 }
const ALGORITHMS: readonly CompressionAlgorithm[] = ['zstd', 'gzip']

const KINDS: Readonly<Record<string, (bytes: number) => unknown>> = {
  'states of devices': (bytes) => Array.from({ length: Math.ceil(bytes / 155) }, (_, i) => stateOf(i)),
  samples: (bytes) => samplesOf(bytes / 2),
  'random bytes': (bytes) => randomBytes(bytes),
}

/** The section `compression`. */
export async function compression(): Promise<Report> {
  const tables: Table[] = []
  for (const [kind, make] of Object.entries(KINDS)) {
    const values = SIZES.map((bytes) => encodeValue(make(bytes)))
    const packing = await inTurns(
      values.flatMap((value) => ALGORITHMS.map((it) => packer(value, it))),
      TURNS,
    )
    const unpacking = await inTurns(
      values.flatMap((value) => ALGORITHMS.flatMap((it) => unpacker(value, it))),
      TURNS,
    )
    for (const [what, measured] of [
      ['packing', packing],
      ['unpacking', unpacking],
    ] as const) {
      const rows: Row[] = measured.map(({ label, note, rounds }) => ({
        label,
        value: median(rounds) / 1_000,
        ...(note === undefined ? undefined : { note }),
      }))
      if (rows.length > 0) tables.push({ title: `${kind}, ${what}`, unit: 'µs', rows })
    }
  }
  return {
    section: 'compression',
    title: 'what compressing a value takes, and what it leaves',
    conditions: ['in one turn, as tiers do with small values; larger ones they leave to a thread where they can wait'],
    tables,
    goals: [],
  }
}

function packer(value: Encoded, algorithm: CompressionAlgorithm): Contender {
  const packed = pack(value, { algorithm, aboveBytes: 0 })
  const left = packed === value ? 'stays as it is' : `${Math.round((packed.data.length / sizeOf(value)) * 100)} % left`
  return timed(`${algorithm}, ${sizeOf(value)} bytes`, left, () => pack(value, { algorithm, aboveBytes: 0 }))
}

function unpacker(value: Encoded, algorithm: CompressionAlgorithm): Contender[] {
  const { format, data } = pack(value, { algorithm, aboveBytes: 0 })
  if (format === value.format || typeof data === 'string') return []
  return [timed(`${algorithm}, ${sizeOf(value)} bytes`, undefined, () => unpack(data))]
}

function timed(label: string, note: string | undefined, run: () => unknown): Contender {
  return {
    label,
    ...(note === undefined ? undefined : { note }),
    run: () => {
      const beganAt = process.hrtime.bigint()
      for (let i = 0; i < OPERATIONS; i++) run()
      return Number(process.hrtime.bigint() - beganAt) / OPERATIONS
    },
  }
}

function sizeOf({ data }: Encoded): number {
  return Buffer.byteLength(data)
}

function stateOf(i: number): object {
  const name = `tcp:10.0.${i % 256}.7:12345`
  const state = { status: i % 3 === 0 ? 'stale' : 'ok', batteryV: 12.1 + (i % 7) / 10, memoryFree: 1024 * i }
  return { id: i, name, ...state, at: 1_700_000_000_000 + i * 1_000, tags: ['unit', 'monitor'], note: null }
}

/** A walk of small random steps around zero, as an instrument at rest records it. */
function samplesOf(length: number): Int16Array {
  const samples = new Int16Array(length)
  let at = 0
  for (let i = 0; i < length; i++) samples[i] = at = Math.round(at * 0.995 + (Math.random() - 0.5) * 8)
  return samples
}
