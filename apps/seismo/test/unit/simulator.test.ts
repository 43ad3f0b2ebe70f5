import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { SimulatorError, startSimulator, type Simulator, type SimulatorOptions } from '../../src/simulator/start.ts'
import { CHANNELS, type EventHeader } from '../../src/unit/client.ts'
import { TcpSeismographClient } from '../../src/unit/tcp-client.ts'
import { encodeFrame } from '../../src/unit/wire.ts'
import { failureOf } from './unit-error.ts'

// What is simulated has to look like the real thing, and come out the same for the same seed.

async function started(options: SimulatorOptions): Promise<Simulator> {
  const simulator = await startSimulator({ scale: 2000, ...options })
  onTestFinished(() => simulator.stop())
  return simulator
}

function clientOf(simulator: Simulator, unit = 0): TcpSeismographClient {
  const client = new TcpSeismographClient(simulator.units[unit] ?? simulator.units[0])
  onTestFinished(() => client.close())
  return client
}

async function headersOf(client: TcpSeismographClient): Promise<EventHeader[]> {
  return client.readEvents(0, await client.countEvents())
}

const stampsOf = (headers: readonly EventHeader[]) =>
  headers.map(({ waveformKey, timestamp }) => [waveformKey, timestamp])

describe('a fleet', () => {
  it('is the same for the same seed, down to the last sample, and another for another', async () => {
    const [a, b, other] = [
      await started({ units: 3, seed: 11 }),
      await started({ units: 3, seed: 11 }),
      await started({ units: 3, seed: 12 }),
    ]
    const serials = (simulator: Simulator) => simulator.units.map(({ serial }) => serial)
    expect(serials(a)).toEqual(serials(b))
    expect(serials(a)).not.toEqual(serials(other))
    const [clientA, clientB] = [clientOf(a, 2), clientOf(b, 2)]
    const headers = await headersOf(clientA)
    expect(await headersOf(clientB)).toEqual(headers)
    const index = headers.findIndex(({ recordType }) => recordType === 'waveform')
    expect(await clientA.readWaveform(index)).toEqual(await clientB.readWaveform(index))
    expect(await headersOf(clientOf(other, 2))).not.toEqual(headers)
  })

  it('has 5 to 120 events a unit, one in twenty a waveform, and room left in every flash', async () => {
    const simulator = await started({ units: 24, seed: 2 })
    expect(new Set(simulator.units.map(({ serial }) => serial)).size).toBe(24)
    expect(new Set(simulator.units.map(({ port }) => port)).size).toBe(24)
    let events = 0
    let waveforms = 0
    for (const unit of simulator.units.keys()) {
      const client = clientOf(simulator, unit)
      const headers = await headersOf(client)
      expect(headers.length).toBeGreaterThanOrEqual(5)
      expect(headers.length).toBeLessThanOrEqual(120)
      expect(headers.some(({ recordType }) => recordType === 'waveform')).toBe(true)
      expect((await client.monitorStatus()).memoryFree).toBeGreaterThan(0)
      events += headers.length
      waveforms += headers.filter(({ recordType }) => recordType === 'waveform').length
    }
    expect(waveforms / events).toBeGreaterThan(0.04)
    expect(waveforms / events).toBeLessThan(0.08)
  })

  it('stamps events with keys that grow from 01110000 and with times that only go on', async () => {
    const stamps = stampsOf(await headersOf(clientOf(await started({ units: 1, events: 120 }))))
    expect(stamps[0]?.[0]).toBe('01110000')
    for (const part of [0, 1]) {
      const values = stamps.map((stamp) => stamp[part] as string)
      expect(values).toEqual([...new Set(values)].toSorted())
    }
    const last = Number.parseInt(stamps.at(-1)?.[0] as string, 16)
    expect(last).toBeLessThan(0x0111_0000 + 960 * 1024)
  })
})

it('a waveform is quiet before the trigger, then strongest soon after it, and dies away', async () => {
  const simulator = await started({ units: 4, seed: 9, events: 60 })
  for (const unit of simulator.units.keys()) {
    const client = clientOf(simulator, unit)
    const { compliance } = await client.info()
    for (const header of await headersOf(client)) {
      if (header.recordType !== 'waveform') continue
      const { samples, sampleRate, scale } = await client.readWaveform(header.index)
      const trigger = sampleRate / 4
      const strongest = (channel: Int16Array): number =>
        channel.reduce((max, count) => Math.max(max, Math.abs(count)), 0)
      expect(header.peaks.vert).toBeGreaterThanOrEqual(compliance.triggerLevel)
      for (const channel of CHANNELS) {
        const counts = samples[channel]
        const peak = strongest(counts)
        expect(strongest(counts.subarray(0, trigger))).toBeLessThan(peak / 2)
        expect(strongest(counts.subarray(counts.length - trigger))).toBeLessThan(peak / 2)
        expect(counts.findIndex((count) => Math.abs(count) === peak)).toBeLessThan(trigger * 5)
        expect(peak * scale[channel]).toBe(header.peaks[channel])
        // A 12-bit converter: whole steps of 16.
        expect(counts.every((count) => count % 16 === 0)).toBe(true)
      }
    }
  }
})

describe('a memory', () => {
  it('that was erased starts over with its keys, and refilled to the same count has other times', async () => {
    const simulator = await started({ units: 1, events: 20 })
    const client = clientOf(simulator)
    const before = await headersOf(client)
    await simulator.erase(0)
    expect(await client.countEvents()).toBe(0)
    await simulator.refill(0, 20)
    const after = await headersOf(client)
    expect(after).toHaveLength(20)
    expect(after[0]?.waveformKey).toBe(before[0]?.waveformKey)
    const times = new Set(before.map(({ timestamp }) => timestamp))
    expect(after.filter(({ timestamp }) => times.has(timestamp))).toEqual([])
    expect((await client.storageRange()).first).not.toEqual({ ...stampOfFirst(before) })
  })

  it('grows by what is recorded, and what is free shrinks with it', async () => {
    const simulator = await started({ units: 1, events: 5 })
    const client = clientOf(simulator)
    const { memoryFree } = await client.monitorStatus()
    const header = await simulator.record(0, 'waveform')
    expect(await client.readEvents(5, 6)).toEqual([header])
    const bytes = 512 + (await client.readWaveform(5)).samples.tran.length * 8
    expect((await client.monitorStatus()).memoryFree).toBe(memoryFree - bytes)
  })

  it('that is full takes no more, and says so', async () => {
    const simulator = await started({ units: 1, events: 5 })
    const fill = async (): Promise<never> => {
      for (;;) await simulator.record(0, 'waveform')
    }
    await expect(fill()).rejects.toThrow(/bytes left; a waveform takes \d+/)
    expect(await headersOf(clientOf(simulator))).not.toHaveLength(5)
  })

  it('that is erased in the middle of a list has nothing more to send', async () => {
    const simulator = await started({ units: 1, events: 100, scale: 100 })
    const client = clientOf(simulator)
    const reading = client.readEvents(0, 100, { onProgress: (done) => void (done === 8 && simulator.erase(0)) })
    await failureOf(reading, 'unit-no-such-event')
  })
})

it('a unit that is swapped has another serial and other events, as many and with the same first key', async () => {
  const simulator = await started({ units: 2, events: 12 })
  const client = clientOf(simulator)
  const before = await headersOf(client)
  const serial = await simulator.swap(0)
  expect((await client.info()).serial).toBe(serial)
  expect(simulator.units.map((unit) => unit.serial)).not.toContain(serial)
  const after = await headersOf(client)
  expect(after).toHaveLength(12)
  expect(after[0]?.waveformKey).toBe('01110000')
  expect(after[0]?.timestamp).not.toBe(before[0]?.timestamp)
  expect(await simulator.swap(0, { serial: 'BE11529', events: 3 })).toBe('BE11529')
  expect(await client.countEvents()).toBe(3)
})

it('a battery drains slowly, faster while the unit monitors', async () => {
  // An hour of the unit's in a fifth of a second.
  const simulator = await started({ units: 1, scale: 18_000 })
  const client = clientOf(simulator)
  const volts = (await client.monitorStatus()).batteryV
  await expect.poll(async () => (await client.monitorStatus()).batteryV, { timeout: 10_000 }).toBeLessThan(volts)
  expect((await client.monitorStatus()).batteryV).toBeGreaterThan(volts - 0.5)
})

describe('the line costs', () => {
  it.each([
    [5, 10_000],
    [120, 30_010],
  ])('a list of %i events: %i ms', async (events, ms) => {
    const simulator = await started({ units: 1, events })
    await clientOf(simulator).readEvents(0, events)
    expect((await simulator.counters(0)).lineMs).toBe(ms)
  })

  it('two seconds for a count, a range or a status, two and a bit for a tail of one, a second a chunk', async () => {
    const simulator = await started({ units: 1, events: 40 })
    const client = clientOf(simulator)
    const costOf = async (conversation: () => Promise<unknown>): Promise<number> => {
      const { lineMs } = await simulator.counters(0)
      await conversation()
      return (await simulator.counters(0)).lineMs - lineMs
    }
    expect(await costOf(() => client.countEvents())).toBe(2000)
    expect(await costOf(() => client.storageRange())).toBe(2000)
    expect(await costOf(() => client.monitorStatus())).toBe(2000)
    expect(await costOf(() => client.readEvents(39, 40))).toBe(2174)
    const { index } = await simulator.record(0, 'waveform')
    let chunks = 0
    expect(await costOf(() => client.readWaveform(index, { onProgress: (_, total) => (chunks = total) }))).toBe(
      chunks * 1000,
    )
  })

  it('time as measured is about that divided by the scale, and all units together are their sum', async () => {
    const simulator = await started({ units: 2, scale: 10, events: 5 })
    await Promise.all([clientOf(simulator, 0).countEvents(), clientOf(simulator, 1).countEvents()])
    const [a, b, both] = [await simulator.counters(0), await simulator.counters(1), await simulator.counters()]
    expect(a.busyMs).toBeGreaterThan(198)
    expect(both.busyMs).toBe(a.busyMs + b.busyMs)
    expect(both.lineMs).toBe(4000)
    expect(both.conversations.count).toBe(2)
  })

  it('only what was spent, when the caller hangs up', async () => {
    const simulator = await started({ units: 1, scale: 10, events: 5 })
    await failureOf(clientOf(simulator).readEvents(0, 5, { signal: AbortSignal.timeout(100) }), 'unit-unreachable')
    await expect.poll(async () => (await simulator.counters(0)).hungUp).toBe(1)
    const { lineMs } = await simulator.counters(0)
    expect(lineMs).toBeGreaterThan(0)
    expect(lineMs).toBeLessThan(10_000)
  })
})

describe('the process', () => {
  const MAIN = fileURLToPath(new URL('../../src/simulator/main.ts', import.meta.url))

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'prints one line of JSON when it is ready and ends by %s with 0',
    async (signal) => {
      const child = spawn(process.execPath, [MAIN, '--units', '2', '--port', '0', '--events', '5'])
      let printed = ''
      child.stdout.on('data', (text: Buffer) => (printed += text.toString()))
      await expect.poll(() => printed, { timeout: 10_000 }).toMatch(/\n$/)
      const ready = JSON.parse(printed) as { units: { host: string; port: number; serial: string }[] }
      expect(ready.units).toHaveLength(2)
      const socket = connect(ready.units[1] as { host: string; port: number })
      await once(socket, 'connect')
      socket.on('error', () => undefined)
      const exited = once(child, 'exit')
      child.kill(signal)
      expect(await exited).toEqual([0, null])
      expect(printed.trimEnd().split('\n')).toHaveLength(1)
    },
  )

  it('takes consecutive ports from the one it is told', async () => {
    const before = await startSimulator({ units: 1, events: 5 })
    const [free] = before.units
    await before.stop()
    const simulator = await started({ units: 2, port: free.port, events: 5 }).catch((error: Error) => error)
    // The port above may belong to somebody: then it has to say so.
    if (simulator instanceof Error) expect(simulator.message).toMatch(/EADDRINUSE.*Choose another --port/)
    else expect(simulator.units.map(({ port }) => port)).toEqual([free.port, free.port + 1])
  })

  it('that cannot start says why', async () => {
    await expect(startSimulator({ units: 0 })).rejects.toThrow(/Expected --units to be a whole number from 1 to 1000/)
    await expect(startSimulator({ events: [9, 3] })).rejects.toThrow(/Expected --events/)
    const first = await started({ units: 1, events: 5 })
    const taken = startSimulator({ units: 1, port: first.units[0].port })
    await expect(taken).rejects.toThrow(/EADDRINUSE.*Choose another --port/)
  })

  it('outlives garbage on every port, says what was wrong with it and hangs up', async () => {
    const simulator = await started({ units: 1, events: 5 })
    const garbage = [Buffer.from('GET / HTTP/1.1\r\n\r\n'), encodeFrame({ id: 1, ask: 'dance' }), encodeFrame([])]
    for (const bytes of garbage) {
      const socket = connect(simulator.units[0])
      const heard: Buffer[] = []
      socket.on('data', (chunk) => heard.push(chunk))
      socket.write(bytes)
      await once(socket, 'close')
      expect(Buffer.concat(heard).toString()).toMatch(/"bad-request"/)
    }
    expect(await clientOf(simulator).countEvents()).toBe(5)
  })

  it('refuses commands that make no sense, by name, and goes on', async () => {
    const simulator = await started({ units: 1, events: 5 })
    await expect(simulator.erase(1)).rejects.toThrow(SimulatorError)
    await expect(simulator.erase(1)).rejects.toThrow(/`command.unit` to be a whole number from 0 to 0, got 1/)
    await expect(simulator.refill(0, -1)).rejects.toThrow(/`command.events`/)
    await expect(simulator.misbehave(0, { kind: 'late' } as never)).rejects.toThrow(/`command.fault.kind` to be one of/)
    await expect(simulator.swap(0, { serial: 'nonsense' })).rejects.toThrow(/a serial like BE11529/)
    expect(await clientOf(simulator).countEvents()).toBe(5)
    await simulator.stop()
    await expect(simulator.erase(0)).rejects.toThrow(/The simulator is gone/)
  })
})

function stampOfFirst(headers: readonly EventHeader[]): object {
  const { waveformKey, timestamp } = headers[0] as EventHeader
  return { waveformKey, timestamp }
}
