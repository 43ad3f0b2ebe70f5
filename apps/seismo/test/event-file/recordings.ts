// Recordings for tests: of any shape, and such as blasts make.

import * as fc from 'fast-check'
import type { EventRecording } from '../../src/event-file/recording.ts'
import type { ChannelName } from '../../src/unit/client.ts'

/** Steps from one sample to the next, of every size that a kind of block is for, and of those that none is for. */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.constant(0) },
  { weight: 4, arbitrary: fc.integer({ min: -8, max: 7 }) },
  { weight: 3, arbitrary: fc.integer({ min: -128, max: 127 }) },
  { weight: 3, arbitrary: fc.integer({ min: -2048, max: 2047 }) },
  { weight: 1, arbitrary: fc.integer({ min: -65_535, max: 65_535 }) },
)

/** Runs of steps of one size, as signals have them, so that every kind of block and long counts occur. */
const run = fc.tuple(step, fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 200, max: 700 })), fc.boolean())

const walk = (runs: readonly (readonly [number, number, boolean])[], length: number): Int16Array => {
  const samples = new Int16Array(length)
  let at = 0
  let value = 0
  for (const [size, count, isSwinging] of runs) {
    for (let i = 0; i < count && at < length; i++) samples[at++] = value += isSwinging && i % 2 === 1 ? -size : size
  }
  for (; at < length; at++) samples[at] = value
  return samples
}

const length = fc.oneof(
  fc.integer({ min: 1, max: 12 }),
  fc.integer({ min: 1, max: 1600 }),
  fc.constantFrom(510, 511, 512, 513, 514, 515, 516, 1024),
)

/** Any four channels of int16. */
export const anyChannels: fc.Arbitrary<readonly [Int16Array, Int16Array, Int16Array, Int16Array]> = length.chain(
  (n) => {
    const wild = fc.int16Array({ minLength: n, maxLength: n })
    const walking = fc.array(run, { maxLength: 12 }).map((runs) => walk(runs, n))
    const channel = fc.oneof({ weight: 1, arbitrary: n > 300 ? walking : wild }, { weight: 3, arbitrary: walking })
    return fc.tuple(channel, channel, channel, channel)
  },
)

/** Any recording. */
export const anyRecording: fc.Arbitrary<EventRecording> = fc
  .tuple(
    anyChannels,
    fc.integer({ min: 0, max: 0xffff_ffff }),
    fc.integer({ min: 0, max: 36 ** 6 - 1 }),
    fc.constantFrom(1024, 2048, 4096),
  )
  .map(([[tran, vert, long, micL], key, seconds, sampleRate]) => ({
    ...recordingWith({ tran, vert, long, micL }),
    waveformKey: key.toString(16).padStart(8, '0'),
    time: new Date(Date.UTC(1985, 0, 1) + seconds * 1000).toISOString().slice(0, 19),
    sampleRate,
  }))

/** A recording with the given samples. */
export function recordingWith(samples: Readonly<Record<ChannelName, Int16Array>>): EventRecording {
  return {
    waveformKey: '01110000',
    time: '2026-05-01T13:16:34',
    sampleRate: 1024,
    pretriggerSeconds: 0.25,
    samples,
    scale: { tran: 10 / 32_768, vert: 10 / 32_768, long: 10 / 32_768, micL: 2.27e-6 },
  }
}
