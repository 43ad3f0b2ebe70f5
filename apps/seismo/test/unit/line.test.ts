import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startSimulator, type Simulator } from '../../src/simulator/start.ts'
import { TcpSeismographClient } from '../../src/unit/tcp-client.ts'
import { FrameDecoder, encodeFrame } from '../../src/unit/wire.ts'
import { scriptedUnit } from './scripted-unit.ts'
import { failureOf } from './unit-error.ts'

// The line between gateway and unit: dialled when needed, kept, given up, and never used by two.

const CLIENT = new URL('../../src/unit/tcp-client.ts', import.meta.url).href

let simulator: Simulator
let unit: TcpSeismographClient
beforeEach(async () => {
  // A list of 40 takes 160 ms, so that there is a middle to hang up in.
  simulator = await startSimulator({ units: 1, scale: 100, seed: 3, events: 40 })
  unit = dialler()
})
afterEach(async () => {
  await unit.close()
  await simulator.stop()
})

function dialler(options: { answerTimeoutMs?: number; connectTimeoutMs?: number } = {}): TcpSeismographClient {
  return new TcpSeismographClient({ ...simulator.units[0], ...options })
}

describe('the line', () => {
  it('is dialled at the first question and kept between conversations', async () => {
    expect((await simulator.counters(0)).connections).toBe(0)
    await unit.countEvents()
    await unit.info()
    await unit.readEvents(30, 40)
    expect((await simulator.counters(0)).connections).toBe(1)
  })

  it('is dialled again after the unit hung up in between', async () => {
    await unit.countEvents()
    await simulator.refuse(0)
    await simulator.listen(0)
    expect(await unit.countEvents()).toBe(40)
    expect((await simulator.counters(0)).connections).toBe(2)
  })

  it('is dialled again after it was closed', async () => {
    await unit.countEvents()
    await unit.close()
    expect(await unit.countEvents()).toBe(40)
  })

  it('keeps no process alive while nobody talks', async () => {
    const { host, port } = simulator.units[0]
    const program = `
      const { TcpSeismographClient } = await import(${JSON.stringify(CLIENT)})
      console.log(await new TcpSeismographClient({ host: '${host}', port: ${port} }).countEvents())`
    // It never closes its client, and ends all the same.
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program])
    expect(stdout).toBe('40\n')
  })

  it('that turns out dead is dialled again for a question, but not for a change', async () => {
    let asked = 0
    const { client, connections } = await scriptedUnit(({ id }, socket) => {
      asked++
      if (asked % 2 === 1) return [{ id, result: asked }]
      socket.resetAndDestroy()
      return []
    })
    expect(await client.countEvents()).toBe(1)
    expect(await client.countEvents()).toBe(3)
    expect(connections()).toBe(2)
    await failureOf(client.eraseEvents(), 'unit-unreachable')
    expect(asked).toBe(4)
  })
})

describe('a caller that hangs up', () => {
  it('in the middle of a list ends that conversation, and the next one works', async () => {
    const controller = new AbortController()
    const reason = new Error('Nobody waits any more.')
    const reached: number[] = []
    const reading = unit.readEvents(0, 40, {
      signal: controller.signal,
      onProgress: (done) => {
        reached.push(done)
        if (done === 16) controller.abort(reason)
      },
    })
    expect((await failureOf(reading, 'unit-unreachable')).cause).toBe(reason)
    expect(reached).toEqual([8, 16])
    expect(await unit.readEvents(0, 40)).toHaveLength(40)
    expect(await simulator.counters(0)).toMatchObject({ hungUp: 1, overlaps: 0, conversations: { events: 2 } })
  })

  it('a hundred times in a row never meets its own unfinished conversation', async () => {
    for (let i = 0; i < 100; i++) {
      const controller = new AbortController()
      const reading = unit.countEvents({ signal: controller.signal })
      setTimeout(() => controller.abort(), i % 7)
      // On a busy machine the answer may be sooner than the hanging up.
      await reading.catch(() => {})
    }
    expect(await unit.countEvents()).toBe(40)
    expect((await simulator.counters(0)).overlaps).toBe(0)
  })

  it('before the first word asks nothing', async () => {
    await failureOf(unit.countEvents({ signal: AbortSignal.abort() }), 'unit-unreachable')
    await unit.countEvents()
    await failureOf(unit.countEvents({ signal: AbortSignal.abort() }), 'unit-unreachable')
    expect((await simulator.counters(0)).conversations.count).toBe(1)
  })

  it('by closing the client ends the conversation that is going on', async () => {
    const reading = failureOf(unit.readEvents(0, 40), 'unit-unreachable')
    await unit.close()
    expect((await reading).cause).toMatchObject({ message: 'The client was closed.' })
  })

  it('by an error of its own in onProgress gets that error, and the next conversation works', async () => {
    const bug = new TypeError('bug in the caller')
    const reading = unit.readEvents(0, 40, {
      onProgress: () => {
        throw bug
      },
    })
    await expect(reading).rejects.toBe(bug)
    expect(await unit.countEvents()).toBe(40)
  })
})

describe('two at a time', () => {
  it('on one client are refused without disturbing the first', async () => {
    const first = unit.readEvents(0, 40)
    expect((await failureOf(unit.countEvents(), 'unit-rejected')).message).toMatch(/'events'.*going on/)
    expect(await first).toHaveLength(40)
    expect((await simulator.counters(0)).overlaps).toBe(0)
  })

  it('on two clients: the second is told that the unit is busy, and it counts', async () => {
    const other = dialler()
    const first = unit.readEvents(0, 40)
    await expect.poll(async () => (await simulator.counters(0)).conversations.events).toBe(1)
    expect((await failureOf(other.countEvents(), 'unit-rejected')).message).toMatch(/is busy/)
    expect(await first).toHaveLength(40)
    expect(await other.countEvents()).toBe(40)
    expect((await simulator.counters(0)).overlaps).toBe(1)
    await other.close()
  })

  it('on two bare connections, or on one, are counted each time', async () => {
    const [a, b] = [await bare(), await bare()]
    const first = a.ask({ id: 1, ask: 'events', from: 0, to: 40 })
    await expect.poll(async () => (await simulator.counters(0)).conversations.events).toBe(1)
    expect(await b.ask({ id: 2, ask: 'info' })).toMatchObject({ id: 2, error: { code: 'busy' } })
    await first
    expect(await a.ask({ id: 3, ask: 'status' })).toMatchObject({ id: 3, error: { code: 'busy' } })
    expect((await simulator.counters(0)).overlaps).toBe(2)
  })
})

/** A connection without a client's manners: each call resolves to the next frame that comes. */
async function bare(): Promise<{ ask(request: object): Promise<unknown> }> {
  const { host, port } = simulator.units[0]
  const socket: Socket = connect({ host, port })
  await once(socket, 'connect')
  const decoder = new FrameDecoder()
  const waiting: ((frame: unknown) => void)[] = []
  socket.on('error', () => socket.destroy())
  socket.on('data', (bytes) => {
    for (const frame of decoder.decode(bytes)) waiting.shift()?.(frame)
  })
  return {
    ask: (request) => {
      socket.write(encodeFrame(request))
      return new Promise((resolve) => waiting.push(resolve))
    },
  }
}
