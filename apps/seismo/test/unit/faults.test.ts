import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { MALFORMATIONS, startSimulator, type Malformation, type Simulator } from '../../src/simulator/start.ts'
import { TcpSeismographClient } from '../../src/unit/tcp-client.ts'
import { failureOf } from './unit-error.ts'

// What goes wrong on real lines: each trouble has its own code, is over within the timeout, and does not outlast itself.

let simulator: Simulator
let unit: TcpSeismographClient
/** Gives up after a quarter of a second of silence. */
let impatient: TcpSeismographClient
beforeAll(async () => {
  simulator = await startSimulator({ units: 1, scale: 1000, seed: 5, events: 40 })
  unit = new TcpSeismographClient(simulator.units[0])
  impatient = new TcpSeismographClient({ ...simulator.units[0], answerTimeoutMs: 250 })
})
afterEach(() => simulator.behave(0))
afterAll(async () => {
  await unit.close()
  await impatient.close()
  await simulator.stop()
})

/** A waveform of several chunks. */
async function waveformIndex(): Promise<number> {
  return (await unit.readEvents(0, 40)).findIndex(({ recordType }) => recordType === 'waveform')
}

const BREAK = {
  drop: /The line to 127.0.0.1:\d+ broke: the other side hung up/,
  reset: /The line to 127.0.0.1:\d+ broke: .*ECONNRESET/,
}

describe.each(['drop', 'reset'] as const)('a line that breaks (%s)', (kind) => {
  it.each([0, 1, 3])('after %i pieces of a list is unreachable, and the next call works', async (afterFrames) => {
    const reached: number[] = []
    await simulator.misbehave(0, { kind, afterFrames, times: 1 })
    const reading = unit.readEvents(0, 40, { onProgress: (done) => reached.push(done) })
    expect((await failureOf(reading, 'unit-unreachable')).message).toMatch(BREAK[kind])
    expect(reached).toHaveLength(afterFrames)
    expect(await unit.readEvents(0, 40)).toHaveLength(40)
  })

  it('in the middle of a waveform or of a short answer is unreachable', async () => {
    const index = await waveformIndex()
    await simulator.misbehave(0, { kind, afterFrames: 5 })
    await failureOf(unit.readWaveform(index), 'unit-unreachable')
    await failureOf(unit.info(), 'unit-unreachable')
    await simulator.behave(0)
    expect((await unit.readWaveform(index)).samples.tran.length).toBeGreaterThan(5 * 360)
  })
})

describe('a unit', () => {
  it('that never answers is unreachable within the timeout, and its line is free again', async () => {
    await simulator.misbehave(0, { kind: 'silent', times: 1 })
    const startedMs = performance.now()
    const { message } = await failureOf(impatient.countEvents(), 'unit-unreachable')
    expect(message).toMatch(/was silent for 250 ms after 'count'/)
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(249)
    expect(await unit.countEvents()).toBe(40)
    expect((await simulator.counters(0)).overlaps).toBe(0)
  })

  it('that is slow within the timeout is waited for, and given up beyond it', async () => {
    await simulator.misbehave(0, { kind: 'slow', extraMs: 100 })
    expect(await impatient.countEvents()).toBe(40)
    await simulator.misbehave(0, { kind: 'slow', extraMs: 2000 })
    await failureOf(impatient.countEvents(), 'unit-unreachable')
  })

  it('may take longer than the timeout in all, while each piece comes in time', async () => {
    const patient = await startSimulator({ units: 1, scale: 10, events: 40 })
    onTestFinished(() => patient.stop())
    const client = new TcpSeismographClient({ ...patient.units[0], answerTimeoutMs: 1400 })
    onTestFinished(() => client.close())
    const startedMs = performance.now()
    // 913 ms until the list opens, then five times 139 ms for eight events each.
    expect(await client.readEvents(0, 40)).toHaveLength(40)
    expect(performance.now() - startedMs).toBeGreaterThan(1400)
  })

  it('that takes no calls is refused, and answers when it is back', async () => {
    await unit.countEvents()
    await simulator.refuse(0)
    expect((await failureOf(unit.countEvents(), 'unit-refused')).message).toMatch(/Nobody listens at 127.0.0.1:\d+/)
    await failureOf(unit.info(), 'unit-refused')
    await simulator.listen(0)
    expect(await unit.countEvents()).toBe(40)
  })

  it('whose process is killed in the middle of an answer is unreachable, then refused', async () => {
    const victim = await startSimulator({ units: 1, scale: 1, events: 40 })
    const client = new TcpSeismographClient(victim.units[0])
    const reading = failureOf(client.readEvents(0, 40), 'unit-unreachable')
    await expect.poll(async () => (await victim.counters(0)).conversations.events).toBe(1)
    await victim.kill()
    await reading
    await failureOf(client.countEvents(), 'unit-refused')
  })

  it('with a name that nobody knows is unreachable', async () => {
    const client = new TcpSeismographClient({ host: 'unit.invalid', port: 12345 })
    expect((await failureOf(client.info(), 'unit-unreachable')).message).toMatch(/unit.invalid:12345 cannot be reached/)
  })

  it('whose line accepts no call is unreachable within the connect timeout', async () => {
    const client = new TcpSeismographClient({ host: '127.0.0.1', port: await deafPort(), connectTimeoutMs: 100 })
    expect((await failureOf(client.info(), 'unit-unreachable')).message).toMatch(/no connection within 100 ms/)
    const hangsUp = client.info({ signal: AbortSignal.timeout(20) })
    expect((await failureOf(hangsUp, 'unit-unreachable')).message).toMatch(/The caller hung up/)
  })
})

describe('an answer that is none', () => {
  const REASON: Readonly<Record<Malformation, RegExp>> = {
    'not-json': /that are no JSON/,
    'not-utf8': /that are no UTF-8/,
    'empty-frame': /got an empty one/,
    'absurd-length': /got one of 4294967295 bytes/,
    'wrong-shape': /expected `result` to be an object, got "what\?"/,
    'wrong-id': /expected `answer.id` to be \d+, the number of the request, got \d+/,
    'cut-short': /expected `result` to be an object, got "what\?"/,
  }

  it.each(MALFORMATIONS)('%s is named, and the next call works', async (how) => {
    await simulator.misbehave(0, { kind: 'malformed', how, times: 1 })
    const { message } = await failureOf(unit.info(), 'unit-protocol')
    expect(message).toMatch(REASON[how])
    expect(message).toMatch(/127.0.0.1:\d+ answered 'info' with what is no answer/)
    expect((await unit.info()).serial).toBe(simulator.units[0].serial)
  })

  it.each(MALFORMATIONS)('%s never passes for a list, a waveform or anything else', async (how) => {
    const index = await waveformIndex()
    await simulator.misbehave(0, { kind: 'malformed', how })
    await failureOf(unit.readEvents(0, 40), 'unit-protocol')
    await failureOf(unit.readWaveform(index), 'unit-protocol')
    await failureOf(unit.storageRange(), 'unit-protocol')
    await failureOf(unit.countEvents(), 'unit-protocol')
    await failureOf(unit.monitorStatus(), 'unit-protocol')
    await failureOf(unit.stopMonitoring(), 'unit-protocol')
    await failureOf(unit.writeConfig({ project: 'x' }), 'unit-protocol')
    await simulator.behave(0)
    expect(await unit.countEvents()).toBe(40)
  })
})

/** A port where calls stay unanswered, as with a modem out of coverage: a process that sleeps, its backlog full. */
async function deafPort(): Promise<number> {
  const program =
    "const s = require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(s.address().port))"
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  child.kill('SIGSTOP')
  const port = Number(line)
  const callers = Array.from({ length: 4 }, () => connect({ host: '127.0.0.1', port }).on('error', () => undefined))
  onTestFinished(() => callers.forEach((caller) => caller.destroy()))
  await once(callers[0] as (typeof callers)[0], 'connect')
  return port
}
