import { afterEach, beforeEach, expect, it } from 'vitest'
import { CHANNELS } from '../../src/unit/client.ts'
import { openRig, type Rig } from './open.ts'

let rig: Rig

beforeEach(async () => {
  rig = await openRig({ units: 1, events: 1 })
})

afterEach(() => rig[Symbol.asyncDispose]())

it('reading a recording of 4 MB leaves the gateway free to answer others', async () => {
  const [unit = ''] = rig.units
  const length = 524_288
  const counts = Object.fromEntries(CHANNELS.map((it, c) => [it, Int16Array.from({ length }, (_, i) => (i * c) % 500)]))
  const scale = { tran: 1, vert: 1, long: 1, micL: 1 }
  const stamp = { waveform_key: '01110000', timestamp: '2026-03-02T06:00:00', record_type: 'waveform' }
  const record = { index: 7, ...stamp, sample_rate: 4096, pretrigger_seconds: 0.25, counts, scale }
  await rig.gateway.cache.setWaveform(unit, 7, record)
  await rig.reopen()
  await rig.ask(0, 'GET', '/device/monitor/status')

  const state = { isDone: false }
  const reading = rig.ask(0, 'GET', '/device/event/7/waveform').finally(() => (state.isDone = true))
  let answers = 0
  while (!state.isDone) {
    expect((await rig.ask(0, 'GET', '/device/monitor/status')).status).toBe(200)
    await new Promise((resolve) => setImmediate(resolve))
    answers++
  }
  const { body, headers } = await reading
  expect(headers.get('cache-status')).toBe('tidemark; hit; detail=sqlite')
  const { Tran } = body['channels'] as Record<string, { samples: number[] }>
  expect(Tran?.samples.length).toBe(length)
  // On the event loop its encoding takes hundreds of milliseconds, and hardly anybody else would be answered.
  expect(answers).toBeGreaterThan(20)
})
