import { describe, expect, it } from 'vitest'
import { MAX_PIECE_SAMPLES, MAX_SAMPLES } from '../../src/unit/messages.ts'
import { scriptedUnit } from './scripted-unit.ts'
import { failureOf } from './unit-error.ts'

// What arrives from a unit is checked field by field; a refusal says where, what was expected and what came.

const info = {
  serial: 'BE11529',
  model: 'MiniMate Plus',
  firmware: 'S338.17',
  compliance: {
    project: 'Quarry',
    client: 'Ridgeway',
    operator: 'A. Lindqvist',
    location: 'Cellar',
    sampleRate: 1024,
    recordSeconds: 3,
    triggerLevel: 0.2,
  },
}
const status = { isMonitoring: true, batteryV: 6.7, memoryTotal: 983_040, memoryFree: 500_000 }
const stamp = { waveformKey: '01110000', timestamp: '2026-04-01T00:28:12' }
const header = {
  index: 0,
  ...stamp,
  recordType: 'waveform',
  peaks: { tran: 0.1, vert: 0.2, long: 0.3, micL: 0.001 },
  project: { project: 'Quarry' },
}
const scale = { tran: 0.0003, vert: 0.0003, long: 0.0003, micL: 0.000002 }
const described = { index: 0, ...stamp, recordType: 'waveform', sampleRate: 1024, pretriggerSeconds: 0.25, scale }

/** A copy with one field, named by its path, set to something else; `undefined` takes it away. */
function changed(message: object, path: string, value: unknown): object {
  const copy = structuredClone(message) as Record<string, unknown>
  const names = path.split('.')
  const last = names.pop() as string
  const holder = names.reduce((at, name) => at[name] as Record<string, unknown>, copy)
  if (value === undefined) delete holder[last]
  else holder[last] = value
  return copy
}

describe('info', () => {
  it('of the known shape is taken, without what is unknown', async () => {
    const { client } = await scriptedUnit(({ id }) => [{ id, result: { ...info, extra: 1, ['__proto__']: { a: 1 } } }])
    expect(await client.info()).toStrictEqual(info)
  })

  it.each([
    ['serial', undefined, /`result.serial` to be a serial number, got nothing/],
    ['serial', '../../etc', /`result.serial` to be a serial number, got "..\/..\/etc"/],
    ['serial', 11_529, /got 11529/],
    ['model', 'x'.repeat(257), /`result.model` to be text of at most 256 characters, got text of 257 characters/],
    ['firmware', null, /`result.firmware` to be text of at most 256 characters, got null/],
    ['compliance', [], /`result.compliance` to be an object, got a list of 0/],
    ['compliance.sampleRate', 0, /`result.compliance.sampleRate` to be a number from 1 to 1000000, got 0/],
    ['compliance.recordSeconds', '3', /`result.compliance.recordSeconds` to be a number/],
    ['compliance.triggerLevel', -0.1, /`result.compliance.triggerLevel` to be a number/],
    ['compliance.operator', {}, /`result.compliance.operator` to be text of at most 256 characters, got an object/],
  ])('with %s = %o is refused', async (path, value, reason) => {
    const { client } = await scriptedUnit(({ id }) => [{ id, result: changed(info, path, value) }])
    expect((await failureOf(client.info(), 'unit-protocol')).message).toMatch(reason)
  })
})

describe('a status', () => {
  it.each([
    ['isMonitoring', 1, /`result.isMonitoring` to be true or false, got 1/],
    ['batteryV', '6.7', /`result.batteryV` to be a number from 0 to 100/],
    ['memoryTotal', 1.5, /`result.memoryTotal` to be a whole number/],
    ['memoryFree', -1, /`result.memoryFree` to be a whole number/],
    ['memoryFree', 983_041, /`result.memoryFree` to be at most memoryTotal, 983040, got 983041/],
  ])('with %s = %o is refused', async (path, value, reason) => {
    const { client } = await scriptedUnit(({ id }) => [{ id, result: changed(status, path, value) }])
    expect((await failureOf(client.monitorStatus(), 'unit-protocol')).message).toMatch(reason)
  })
})

describe('a count or a range', () => {
  it.each([-1, 1.5, 2 ** 53, '3', null, true])('of %o is refused', async (count) => {
    const { client } = await scriptedUnit(({ id }) => [{ id, result: count }])
    await failureOf(client.countEvents(), 'unit-protocol')
    await client.close()
    const { client: other } = await scriptedUnit(({ id }) => [{ id, result: { count } }])
    await failureOf(other.storageRange(), 'unit-protocol')
  })

  it('may leave out what the unit cannot tell, but no half of a stamp', async () => {
    const bare = await scriptedUnit(({ id }) => [{ id, result: { count: 3, first: null } }])
    expect(await bare.client.storageRange()).toStrictEqual({ count: 3 })
    const half = await scriptedUnit(({ id }) => [{ id, result: { count: 3, last: { waveformKey: '01110000' } } }])
    expect((await failureOf(half.client.storageRange(), 'unit-protocol')).message).toMatch(/`result.last.timestamp`/)
  })
})

describe('a header', () => {
  const answerWith = (piece: unknown) =>
    scriptedUnit(({ id }) => [
      { id, piece: [piece], done: 1, total: 1 },
      { id, result: 1 },
    ])

  it('of an old record has no stamp and no project', async () => {
    const { waveformKey: _, timestamp: __, project: ___, ...old } = header
    const { client } = await answerWith({ ...old, timestamp: null })
    expect(await client.readEvents(0, 1)).toStrictEqual([old])
  })

  it.each([
    ['index', 1, /`piece.index` to be 0, the next in turn, got 1/],
    ['index', -1, /`piece\[0\].index` to be a whole number/],
    ['waveformKey', '0111000', /`piece\[0\].waveformKey` to be 8 hex digits, got "0111000"/],
    ['waveformKey', 17_891_328, /8 hex digits/],
    ['timestamp', '2026-13-01T00:00:00', /`piece\[0\].timestamp` to be a time in ISO 8601/],
    ['timestamp', 'yesterday', /ISO 8601/],
    ['recordType', 'noise', /`piece\[0\].recordType` to be one of 'waveform', 'histogram', got "noise"/],
    ['peaks.vert', -0.5, /`piece\[0\].peaks.vert` to be a number from 0 to 1000, got -0.5/],
    ['peaks.micL', null, /`piece\[0\].peaks.micL`/],
    ['project', 'Quarry', /`piece\[0\].project` to be an object, got "Quarry"/],
    ['project.client', 5, /`piece\[0\].project.client`/],
  ])('with %s = %o is refused', async (path, value, reason) => {
    const { client } = await answerWith(changed(header, path, value))
    expect((await failureOf(client.readEvents(0, 1), 'unit-protocol')).message).toMatch(reason)
  })
})

describe('a list', () => {
  const headers = (from: number, to: number): object[] =>
    Array.from({ length: to - from }, (_, i) => ({ ...header, index: from + i }))

  it.each([
    [
      'with more than was asked for',
      [{ piece: headers(0, 5), done: 5, total: 4 }],
      /`answer.done` to be a whole number/,
    ],
    ['with more in a piece than is missing', [{ piece: headers(0, 5), done: 4, total: 4 }], /at most 4 items/],
    [
      'of another length',
      [{ piece: headers(0, 4), done: 4, total: 9 }],
      /`answer.total` to be 4, the headers asked for/,
    ],
    ['with an empty piece', [{ piece: [], done: 1, total: 4 }], /at least one header/],
    ['that counts wrong', [{ piece: headers(0, 2), done: 3, total: 4 }], /`answer.done` to be 2 headers, got 3/],
    ['with a gap', [{ piece: [...headers(0, 1), ...headers(2, 3)], done: 2, total: 4 }], /to be 1, the next in turn/],
    [
      'that ends early',
      [{ piece: headers(0, 2), done: 2, total: 4 }, { result: 4 }],
      /expected `answer` to be 4 headers, got 2/,
    ],
    ['that lies about its end', [{ piece: headers(0, 4), done: 4, total: 4 }, { result: 3 }], /`result` to be 4/],
    ['without a piece', [{ result: 4 }], /to be 4 headers, got 0/],
  ])('%s is refused', async (_, frames, reason) => {
    const { client } = await scriptedUnit(({ id }) => frames.map((frame) => ({ id, ...frame })))
    expect((await failureOf(client.readEvents(0, 4), 'unit-protocol')).message).toMatch(reason)
  })
})

describe('a waveform', () => {
  /** So many samples of four channels, counting up from `from`. */
  const samples = (from: number, count: number): { from: number; samples: string } => {
    const bytes = Buffer.alloc(count * 8)
    for (let i = 0; i < count * 4; i++) bytes.writeInt16BE((from * 4 + i) % 32_768, i * 2)
    return { from, samples: bytes.toString('base64') }
  }
  const asked = (frames: readonly object[]) => scriptedUnit(({ id }) => frames.map((frame) => ({ id, ...frame })))

  it('is put together from the four channels in turn', async () => {
    const { client } = await asked([
      { piece: samples(0, 2), done: 1, total: 2 },
      { piece: samples(2, 1), done: 2, total: 2 },
      { result: { ...described, sampleCount: 3 } },
    ])
    expect(await client.readWaveform(0)).toStrictEqual({
      ...described,
      samples: {
        tran: Int16Array.of(0, 4, 8),
        vert: Int16Array.of(1, 5, 9),
        long: Int16Array.of(2, 6, 10),
        micL: Int16Array.of(3, 7, 11),
      },
    })
  })

  const piece = { piece: samples(0, 2), done: 1, total: 1 }
  const result = { ...described, sampleCount: 2 }
  it.each([
    ['of another event', [piece, { result: { ...result, index: 1 } }], /`result.index` to be 0, as asked for, got 1/],
    [
      'of fewer samples than it says',
      [piece, { result: { ...result, sampleCount: 3 } }],
      /to be 2, the samples sent, got 3/,
    ],
    ['of no samples', [{ result: { ...result, sampleCount: 0 } }], /`result.sampleCount` to be a whole number from 1/],
    ['of a scale of nothing', [piece, { result: { ...result, scale: { ...scale, long: 0 } } }], /`result.scale.long`/],
    ['of no rate', [piece, { result: { ...result, sampleRate: 0 } }], /`result.sampleRate`/],
    ['with a gap', [{ ...piece, piece: samples(1, 2) }], /`piece.from` to be 0, the next in turn, got 1/],
    ['with a piece skipped', [{ ...piece, done: 2, total: 2 }], /`answer.done` to be 1, got 2/],
    [
      'that grows on the way',
      [
        { ...piece, total: 2 },
        { piece: samples(2, 2), done: 2, total: 3 },
      ],
      /`answer.total` to be 2/,
    ],
    ['that ends early', [{ ...piece, total: 2 }, { result }], /expected `answer` to be 2 pieces, got 1/],
    ['with an empty piece', [{ ...piece, piece: { from: 0, samples: '' } }], /`piece.samples` to be base64, got ""/],
    [
      'in another alphabet',
      [{ ...piece, piece: { from: 0, samples: 'AAAA-_AAAAA=' } }],
      /`piece.samples` to be base64/,
    ],
    ['with half a sample', [{ ...piece, piece: { from: 0, samples: 'AAAA' } }], /samples of 4 channels/],
    ['in a piece too large', [{ ...piece, piece: samples(0, MAX_PIECE_SAMPLES + 1) }], /`piece.samples`/],
    ['as samples of text', [{ ...piece, piece: 'AAAA' }], /`piece` to be an object, got "AAAA"/],
  ])('%s is refused', async (_, frames, reason) => {
    const { client } = await asked(frames)
    expect((await failureOf(client.readWaveform(0), 'unit-protocol')).message).toMatch(reason)
  })

  it('that never ends is given up at the limit of samples', async () => {
    const pieces = MAX_SAMPLES / MAX_PIECE_SAMPLES
    const endless = Array.from({ length: pieces }, (_, i) => ({
      piece: samples(1 + i * MAX_PIECE_SAMPLES, MAX_PIECE_SAMPLES),
      done: i + 2,
      total: MAX_SAMPLES,
    }))
    const { client } = await asked([{ piece: samples(0, 1), done: 1, total: MAX_SAMPLES }, ...endless])
    const { message } = await failureOf(client.readWaveform(0), 'unit-protocol')
    expect(message).toMatch(/expected `answer` to be at most 1048576 samples, got 1048577/)
  })
})

describe('a frame', () => {
  it.each([
    ['that is a list', [], /expected `answer` to be an object, got a list of 0/],
    ['without a number', { result: 3 }, /`answer.id` to be a whole number/],
    ['that says nothing', { id: 1 }, /expected `answer` to be a piece, a result or an error/],
    ['with an error of no kind', { id: 1, error: { code: 'oops', message: '' } }, /`answer.error.code` to be one of/],
    ['with an error of no words', { id: 1, error: { code: 'busy' } }, /`answer.error.message` to be text/],
    ['with a piece where there are none', { id: 1, piece: 1, done: 1, total: 1 }, /expected `answer` to be a result/],
    [
      'with more done than there is',
      { id: 1, piece: 1, done: 2, total: 1 },
      /`answer.done` to be a whole number from 1 to 1/,
    ],
  ])('%s is refused', async (_, frame, reason) => {
    const { client } = await scriptedUnit(() => [frame])
    expect((await failureOf(client.countEvents(), 'unit-protocol')).message).toMatch(reason)
  })

  it.each([0, 1])(
    'that nobody asked for (number + %i) hangs up, so that it answers no later question',
    async (ahead) => {
      const line = await scriptedUnit(({ id }) => [
        { id, result: 3 },
        { id: id + ahead, result: 99 },
      ])
      expect(await line.client.countEvents()).toBe(3)
      expect(await line.client.countEvents()).toBe(3)
      expect(line.connections()).toBe(2)
    },
  )
})

it('a frame that comes byte by byte for ever is silence', async () => {
  const { client } = await scriptedUnit((_, socket) => {
    socket.write(Buffer.from([0, 0, 1, 0]))
    const drip = setInterval(() => socket.write(' '), 10)
    socket.on('close', () => clearInterval(drip))
    return []
  }, 200)
  expect((await failureOf(client.info(), 'unit-unreachable')).message).toMatch(/was silent for 200 ms/)
})
