import { afterEach, beforeEach, expect, it } from 'vitest'
import { openRig, type Rig } from './open.ts'

let rig: Rig

beforeEach(async () => {
  rig = await openRig({ units: 1, events: 6 })
})

afterEach(() => rig[Symbol.asyncDispose]())

interface Listed {
  readonly waveform_key: string
  readonly timestamp: string
}

async function list(): Promise<Listed[]> {
  const { body, status } = await rig.ask(0, 'GET', '/device/events')
  expect(status).toBe(200)
  return body['events'] as Listed[]
}

const post = (path: string, body?: object): ReturnType<Rig['ask']> =>
  rig.ask(0, 'POST', path, body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } })

it('starting and stopping drop the status at once', async () => {
  const isMonitoring = async (): Promise<unknown> =>
    (await rig.ask(0, 'GET', '/device/monitor/status')).body['is_monitoring']
  expect(await isMonitoring()).toBe(true)
  expect((await post('/device/monitor/stop')).body).toMatchObject({ is_monitoring: false })
  expect(await isMonitoring()).toBe(false)
  expect((await post('/device/monitor/start')).body).toMatchObject({ is_monitoring: true })
  expect(await isMonitoring()).toBe(true)
})

it('a written configuration is seen by the next read, and the events are read again', async () => {
  await rig.ask(0, 'GET', '/device/info')
  await list()
  expect((await post('/device/config', { project: 'North quarry' })).body).toMatchObject({ written: 1 })
  const { body } = await rig.ask(0, 'GET', '/device/info')
  expect(body).toMatchObject({ compliance: { project: 'North quarry' }, cache: { reason: 'loaded' } })
  await list()
  expect((await rig.simulator.counters(0)).conversations.events).toBe(2)
})

it('what a unit rejects is a conflict with its reason, and nothing is outdated', async () => {
  await rig.ask(0, 'GET', '/device/info')
  const { status, body } = await post('/device/config', { sample_rate: 7 })
  expect([status, body.error?.code]).toEqual([409, 'unit-rejected'])
  expect((await rig.ask(0, 'GET', '/device/info')).body.cache?.reason).toBe('hit')
})

it('an erase through the gateway: the next read sees the new era', async () => {
  const before = await list()
  expect((await post('/device/events/erase')).body['dropped']).toEqual({ events: before.length, waveforms: 0 })
  expect(await list()).toEqual([])
  expect((await rig.ask(0, 'GET', '/device/event/0')).status).toBe(404)
})

it('erased and refilled to the same count by somebody else: nothing of the old life is served', async () => {
  const before = await list()
  const { body: old } = await rig.ask(0, 'GET', '/device/event/0/waveform')
  await rig.simulator.erase(0)
  await rig.simulator.refill(0, before.length)
  const { body } = await rig.ask(0, 'GET', '/device/events')
  expect(body).toMatchObject({ era: 'new', count: before.length, added: before.length })
  const after = body['events'] as Listed[]
  expect(after.map((it) => it.waveform_key)[0]).toBe(before[0]?.waveform_key)
  expect(after.filter((it, i) => it.timestamp === before[i]?.timestamp)).toEqual([])
  const { body: now } = await rig.ask(0, 'GET', '/device/event/0/waveform')
  expect(now['timestamp']).toBe(after[0]?.timestamp)
  expect(now['timestamp']).not.toBe(old['timestamp'])
})

it('a unit put in place of another: its events are its own, and its serial is noticed', async () => {
  await rig.ask(0, 'GET', '/device/info')
  const before = await list()
  const serial = await rig.simulator.swap(0)
  const after = await list()
  expect(after.filter((it, i) => it.timestamp === before[i]?.timestamp)).toEqual([])
  await expect.poll(async () => (await rig.gateway.cache.lastKnownInfo(rig.units[0] ?? ''))?.serial).toBe(serial)
})

it('an erase whose answer is lost is found out by itself', async () => {
  await list()
  await rig.simulator.misbehave(0, { kind: 'drop' })
  const { status } = await post('/device/events/erase')
  expect(status).toBe(502)
  await rig.simulator.behave(0)
  const known = (await rig.ask(0, 'GET', '/device/events')).body['count']
  expect(known).toBe((await rig.gateway.cache.getAllEvents(rig.units[0] ?? ''))?.length ?? 0)
})

it('clearing a unit answers the rows, and the next read asks the unit', async () => {
  await rig.ask(0, 'GET', '/device/info')
  await list()
  await rig.ask(0, 'GET', '/device/monitor/status')
  const { body } = await rig.ask(0, 'DELETE', '/cache/device')
  expect(body).toEqual({ device_info: 1, events: 6, waveforms: 0, monitor_status: 1 })
  expect((await rig.ask(0, 'GET', '/cache/stats')).body).toMatchObject({
    devices: 0,
    events: 0,
    waveforms: 0,
    monitor_status: 0,
  })
  expect((await rig.ask(0, 'GET', '/device/info')).body.cache?.reason).toBe('loaded')
})
