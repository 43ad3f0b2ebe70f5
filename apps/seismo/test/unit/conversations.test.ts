import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startSimulator, type Simulator } from '../../src/simulator/start.ts'
import { CHANNELS } from '../../src/unit/client.ts'
import { peaksOf } from '../../src/unit/peaks.ts'
import { TcpSeismographClient } from '../../src/unit/tcp-client.ts'
import { failureOf } from './unit-error.ts'

// Everything a unit can be asked, over a real socket to a simulator in a process of its own.

let simulator: Simulator
let unit: TcpSeismographClient
beforeAll(async () => {
  simulator = await startSimulator({ units: 1, scale: 1000, seed: 7, events: 42 })
  unit = new TcpSeismographClient(simulator.units[0])
})
afterAll(async () => {
  await unit.close()
  await simulator.stop()
})

/** What was reported of the way of a long answer. */
function progress(): { calls: [number, number][]; onProgress: (done: number, total: number) => void } {
  const calls: [number, number][] = []
  return { calls, onProgress: (done, total) => calls.push([done, total]) }
}

describe('a unit tells', () => {
  it('who it is and how it records', async () => {
    const info = await unit.info()
    expect(info.serial).toBe(simulator.units[0].serial)
    expect(info.serial).toMatch(/^BE\d{4,5}$/)
    expect(info).toMatchObject({ model: 'MiniMate Plus', compliance: { recordSeconds: expect.any(Number) as number } })
    expect([1024, 2048, 4096]).toContain(info.compliance.sampleRate)
  })

  it('how many events it has, and which are the first and the last', async () => {
    expect(await unit.countEvents()).toBe(42)
    const range = await unit.storageRange()
    const headers = await unit.readEvents(0, 42)
    expect(range.count).toBe(42)
    expect(range.first).toEqual({ waveformKey: '01110000', timestamp: headers[0]?.timestamp })
    expect(range.last).toEqual({ waveformKey: headers[41]?.waveformKey, timestamp: headers[41]?.timestamp })
  })

  it('its battery and memory, and whether it monitors', async () => {
    const status = await unit.monitorStatus()
    expect(status.memoryTotal).toBe(960 * 1024)
    expect(status.memoryFree).toBeLessThan(status.memoryTotal)
    expect(status.batteryV).toBeGreaterThan(5)
    await unit.stopMonitoring()
    expect((await unit.monitorStatus()).isMonitoring).toBe(false)
    await unit.startMonitoring()
    expect((await unit.monitorStatus()).isMonitoring).toBe(true)
  })
})

describe('headers', () => {
  it('come in order, in pieces that are reported', async () => {
    const { calls, onProgress } = progress()
    const headers = await unit.readEvents(0, 42, { onProgress })
    expect(headers.map(({ index }) => index)).toEqual(Array.from({ length: 42 }, (_, i) => i))
    expect(calls).toEqual([8, 16, 24, 32, 40, 42].map((done) => [done, 42]))
  })

  it('of the tail are those of the whole list', async () => {
    const all = await unit.readEvents(0, 42)
    const { calls, onProgress } = progress()
    expect(await unit.readEvents(39, 42, { onProgress })).toEqual(all.slice(39))
    expect(calls).toEqual([[3, 3]])
  })

  it('of none are asked of nobody', async () => {
    const before = await simulator.counters(0)
    expect(await unit.readEvents(42, 42)).toEqual([])
    expect((await simulator.counters(0)).conversations).toEqual(before.conversations)
  })

  it('beyond the last are no such event, as are those with no index', async () => {
    expect((await failureOf(unit.readEvents(40, 43), 'unit-no-such-event')).message).toMatch(/has 42 events.*index 42/)
    await failureOf(unit.readEvents(-1, 2), 'unit-no-such-event')
    await failureOf(unit.readEvents(3, 2), 'unit-no-such-event')
    await failureOf(unit.readEvents(0, 1.5), 'unit-no-such-event')
    await failureOf(unit.readEvents(0, 2 ** 40), 'unit-no-such-event')
  })
})

describe('a waveform', () => {
  it('comes in chunks that are reported, with the samples its rate and length call for', async () => {
    const header = (await unit.readEvents(0, 42)).find(({ recordType }) => recordType === 'waveform')
    const { compliance } = await unit.info()
    const { calls, onProgress } = progress()
    const waveform = await unit.readWaveform(header?.index ?? -1, { onProgress })
    const length = (0.25 + compliance.recordSeconds) * compliance.sampleRate
    expect(waveform).toMatchObject({
      index: header?.index,
      waveformKey: header?.waveformKey,
      timestamp: header?.timestamp,
      recordType: 'waveform',
      sampleRate: compliance.sampleRate,
      pretriggerSeconds: 0.25,
    })
    for (const channel of CHANNELS) {
      expect(waveform.samples[channel]).toBeInstanceOf(Int16Array)
      expect(waveform.samples[channel]).toHaveLength(length)
    }
    const chunks = Math.ceil(length / 360)
    expect(chunks).toBeGreaterThanOrEqual(7)
    expect(chunks).toBeLessThanOrEqual(37)
    expect(calls).toEqual(Array.from({ length: chunks }, (_, i) => [i + 1, chunks]))
  })

  it('and every histogram has the peaks that its header tells', async () => {
    for (const header of await unit.readEvents(0, 42)) {
      expect(peaksOf(await unit.readWaveform(header.index))).toEqual(header.peaks)
    }
  })

  it('that does not exist is no such event', async () => {
    expect((await failureOf(unit.readWaveform(42), 'unit-no-such-event')).message).toMatch(/none with index 42/)
    await failureOf(unit.readWaveform(-1), 'unit-no-such-event')
    await failureOf(unit.readWaveform(Number.NaN), 'unit-no-such-event')
  })
})

describe('settings', () => {
  it('that are written are told afterwards, and the next recording has them', async () => {
    await unit.writeConfig({ project: 'Culvert 12', sampleRate: 2048, recordSeconds: 1 })
    expect((await unit.info()).compliance).toMatchObject({ project: 'Culvert 12', sampleRate: 2048, recordSeconds: 1 })
    const { index, project } = await simulator.record(0, 'waveform')
    expect(project?.project).toBe('Culvert 12')
    expect((await unit.readWaveform(index)).samples.tran).toHaveLength(1.25 * 2048)
  })

  it.each([
    [{ sampleRate: 1000 }, /sampleRate must be one of 1024, 2048, 4096, got 1000/],
    [{ recordSeconds: 0 }, /recordSeconds must be a whole number from 1 to 10, got 0/],
    [{ triggerLevel: -1 }, /triggerLevel must be a number from 0.005 to 10, got -1/],
    [{ operator: 'x'.repeat(41) }, /operator must be text of at most 40 characters/],
    [{ location: 7 }, /location must be text/],
    [{ constructor: 'x' }, /no setting 'constructor'/],
  ])('%o is rejected with the reason, and nothing of it is taken', async (nonsense, reason) => {
    const before = await unit.info()
    const config = { project: 'Half a change', ...nonsense } as object
    expect((await failureOf(unit.writeConfig(config), 'unit-rejected')).message).toMatch(reason)
    expect(await unit.info()).toEqual(before)
  })
})

it('a unit that is erased has no events and all its memory', async () => {
  await unit.eraseEvents()
  expect(await unit.countEvents()).toBe(0)
  expect(await unit.storageRange()).toEqual({ count: 0 })
  const { memoryFree, memoryTotal } = await unit.monitorStatus()
  expect(memoryFree).toBe(memoryTotal)
  await failureOf(unit.readEvents(0, 1), 'unit-no-such-event')
})
