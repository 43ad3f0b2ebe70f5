import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Encoder, EncoderClosedError } from '../../src/encoding/encoder.ts'
import { WaveformBodies } from '../../src/encoding/waveform-bodies.ts'
import { waveformBody } from '../../src/encoding/waveform-body.ts'
import type { WaveformRecord } from '../../src/cache/record.ts'
import { EventFileError } from '../../src/event-file/error.ts'
import { encodeEventFile } from '../../src/event-file/file.ts'
import { metadataOf } from '../../src/event-file/metadata.ts'
import type { EventRecording } from '../../src/event-file/recording.ts'
import { recordingWith } from '../event-file/recordings.ts'

let encoder: Encoder

beforeEach(() => {
  encoder = new Encoder()
})

afterEach(() => encoder.close())

function recording(length: number): EventRecording {
  const channel = (step: number): Int16Array => Int16Array.from({ length }, (_, i) => ((i * step) % 4001) - 2000)
  return recordingWith({ tran: channel(16), vert: channel(48), long: channel(7), micL: channel(1) })
}

/** As the cache holds it. */
function recordOf({
  waveformKey,
  time,
  sampleRate,
  pretriggerSeconds,
  samples,
  scale,
}: EventRecording): WaveformRecord {
  const stamped = { index: 0, waveform_key: waveformKey, timestamp: time, record_type: 'waveform' }
  return { ...stamped, sample_rate: sampleRate, pretrigger_seconds: pretriggerSeconds, counts: { ...samples }, scale }
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString()

describe('the encoder', () => {
  it('makes the same bytes as the event loop would', async () => {
    const it = recording(3000)
    const [body, file] = await Promise.all([
      encoder.encode({ make: 'body', of: recordOf(it) }),
      encoder.encode({ make: 'event-file', of: it, encoderVersion: 3 }),
    ])
    expect(textOf(body)).toBe(waveformBody(recordOf(it)))
    expect(Buffer.from(file).equals(encodeEventFile(it, 3))).toBe(true)
  })

  it('makes a body of an event file', async () => {
    const it = recording(700)
    const metadata = metadataOf({ serial: 'BE11529', recording: it, project: undefined })
    const body = await encoder.encode({ make: 'body-of-file', of: encodeEventFile(it), metadata })
    const { channels } = JSON.parse(textOf(body)) as { channels: object }
    expect(channels).toEqual((JSON.parse(waveformBody(recordOf(it))) as { channels: object }).channels)
  })

  it('says why something cannot be encoded, and goes on', async () => {
    const odd = recordingWith({ ...recording(8).samples, tran: new Int16Array(7) })
    const error = await encoder.encode({ make: 'event-file', of: odd, encoderVersion: 1 }).catch((it: unknown) => it)
    expect(error).toBeInstanceOf(EventFileError)
    expect((error as EventFileError).code).toBe('event-file-recording')
    await expect(encoder.encode({ make: 'body-of-file', of: Buffer.from('no file'), metadata: {} })).rejects.toThrow(
      'no event file',
    )
    expect((await encoder.encode({ make: 'body', of: { index: 1 } })).byteLength).toBe('{"index":1}'.length)
  })

  it('leaves the event loop free while it is at work', async () => {
    const state = { isDone: false }
    const body = encoder.encode({ make: 'body', of: recordOf(recording(524_288)) }).finally(() => (state.isDone = true))
    let turns = 0
    while (!state.isDone) {
      await new Promise((resolve) => setImmediate(resolve))
      turns++
    }
    expect((await body).byteLength).toBeGreaterThan(10_000_000)
    // Encoding it here takes one turn, or two.
    expect(turns).toBeGreaterThan(20)
  })

  it('that is closed fails what is not done, and what comes later', async () => {
    const pending = encoder.encode({ make: 'body', of: recordOf(recording(100_000)) }).catch((it: unknown) => it)
    await encoder.close()
    expect(await pending).toBeInstanceOf(EncoderClosedError)
    await expect(encoder.encode({ make: 'body', of: {} })).rejects.toBeInstanceOf(EncoderClosedError)
  })

  it('does not keep a process alive that has nothing else to do', async () => {
    const module = new URL('../../src/encoding/encoder.ts', import.meta.url)
    const program = `const { Encoder } = await import('${module.href}')
      const bytes = await new Encoder().encode({ make: 'body', of: { index: 1 } })
      console.log(bytes.byteLength)`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
      timeout: 20_000,
    })
    expect(stdout.trim()).toBe('11')
  })
})

describe('bodies', () => {
  it('are made once for each recording, and for all who ask meanwhile', async () => {
    const bodies = new WaveformBodies(encoder)
    const record = recordOf(recording(64))
    const [one, two] = await Promise.all([bodies.of(record), bodies.of(record)])
    expect(two).toBe(one)
    expect(await bodies.of(record)).toBe(one)
    // Another object is another recording, whatever is in it.
    expect(await bodies.of({ ...record })).not.toBe(one)
    expect(bodies.bytes).toBe(2 * one.byteLength)
  })

  it('take no more room than they may: what was not asked for longest goes first', async () => {
    const [a, b, c] = [{ index: 1 }, { index: 2 }, { index: 3 }]
    const bodies = new WaveformBodies(encoder, 2 * '{"index":1}'.length)
    const [first, second] = [await bodies.of(a), await bodies.of(b)]
    await bodies.of(a)
    await bodies.of(c)
    expect(bodies.bytes).toBe(22)
    expect(await bodies.of(a)).toBe(first)
    expect(await bodies.of(b)).not.toBe(second)
    const big = { index: 4, note: 'longer than all there may be' }
    expect(textOf(await bodies.of(big))).toBe(JSON.stringify(big))
    expect(bodies.bytes).toBe(0)
  })

  it('that could not be made are made when they are asked for again', async () => {
    const bodies = new WaveformBodies(encoder)
    const record: WaveformRecord = { counts: { tran: 'none' }, scale: {}, sample_rate: 1, pretrigger_seconds: 0 }
    await expect(bodies.of(record)).rejects.toThrow('undefined')
    Object.assign(record, { counts: null })
    expect(textOf(await bodies.of(record))).toContain('"counts":null')
  })
})
