// A waveform that lies in the cache without its file is filed when it is read, behind the answer.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openRig, type Answer, type Rig } from './open.ts'

let rig: Rig
let index: number
let serial: string
const errors: unknown[] = []

beforeEach(async () => {
  errors.length = 0
  rig = await openRig({ units: 1, events: 1 }, { withFiles: true, onError: (error) => errors.push(error) })
  index = (await rig.simulator.record(0, 'waveform')).index
  serial = rig.simulator.units[0].serial
})

afterEach(() => rig[Symbol.asyncDispose]())

const download = (): Promise<Answer> => rig.ask(0, 'GET', `/device/event/${index}/waveform`)
const files = async (): Promise<object[]> => (await rig.ask(0, 'GET', '/event-files')).body['files'] as object[]
const conversations = async (): Promise<Record<string, number>> => ({
  ...(await rig.simulator.counters(0)).conversations,
})

/** A read from the cache; the unit is not asked for the recording. */
async function read(): Promise<void> {
  const { status, body } = await download()
  expect([status, body.cache?.tier === 'source', typeof body['channels']]).toEqual([200, false, 'object'])
}

it('what could not be filed is filed at the next read that finds the way free, and told until then', async () => {
  const inTheWay = join(rig.eventFiles, serial)
  mkdirSync(rig.eventFiles, { recursive: true })
  writeFileSync(inTheWay, 'in the way')
  expect((await download()).body.cache?.tier).toBe('source')
  expect(errors).toMatchObject([{ code: 'artifact-unsafe' }])
  await read()
  await expect.poll(() => errors.length).toBe(2)
  rmSync(inTheWay)
  await read()
  await expect.poll(files).toMatchObject([{ serial }])
  await read()
  expect(errors).toHaveLength(2)
  expect((await conversations())['waveform']).toBe(1)
})

it('what was cached before there were files is filed when it is read, after a restart too', async () => {
  await rig.reopen({ withoutFiles: true })
  await download()
  await rig.reopen()
  expect(await files()).toEqual([])
  await read()
  await expect.poll(files).toMatchObject([{ serial }])
  await rig.reopen()
  const before = await conversations()
  await read()
  // It is seen in the store that there is nothing to do.
  expect(await conversations()).toEqual(before)
  expect(errors).toEqual([])
})

it('a read does not wait for it, and only one is under way', async () => {
  await rig.reopen({ withoutFiles: true })
  await rig.ask(0, 'GET', '/device/info')
  await download()
  await rig.reopen()
  const asked = (await conversations())['info'] ?? 0
  // It is asked for its serial, and says nothing.
  await rig.simulator.misbehave(0, { kind: 'silent' })
  await Promise.all(Array.from({ length: 5 }, read))
  await expect.poll(async () => (await conversations())['info']).toBe(asked + 1)
  await read()
  expect([await files(), errors]).toEqual([[], []])
  // Whatever is under way is given up, and nothing of that is told.
  await rig.reopen()
  await rig.simulator.behave(0)
  await read()
  await expect.poll(files).toMatchObject([{ serial }])
  expect(errors).toEqual([])
})

it('is not filed under another unit that answers by now', async () => {
  await rig.reopen({ withoutFiles: true })
  await rig.ask(0, 'GET', '/device/info')
  await download()
  await rig.reopen()
  await rig.simulator.swap(0)
  await read()
  await expect.poll(() => errors).toMatchObject([{ code: 'event-file-unit' }])
  expect(await files()).toEqual([])
})

it('two events with one name: the second is told once, and not tried again at each read', async () => {
  await download()
  const { body } = await rig.ask(0, 'GET', `/device/event/${index}`)
  const [unit = ''] = rig.units
  const record = await rig.gateway.cache.getWaveform(unit, index)
  await rig.gateway.cache.setWaveform(unit, 99, { ...record, index: 99, waveform_key: 'ffffffff' })
  for (let i = 0; i < 3; i++) {
    expect((await rig.ask(0, 'GET', '/device/event/99/waveform')).body['timestamp']).toBe(body['timestamp'])
    await expect.poll(() => errors).toMatchObject([{ code: 'artifact-conflict' }])
  }
  expect(await files()).toHaveLength(1)
})
