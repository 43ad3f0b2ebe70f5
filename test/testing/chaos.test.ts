import { describe, expect, it } from 'vitest'
import { memory, type Entry } from 'tidemark'
import { FakeClock, chaos, type ChaosOperation, type ChaosTier } from 'tidemark/testing'
import { entryOf } from '../../src/testing/tier-cases/case.ts'

const KEY = { name: 'users', id: 'a' }
const clock = new FakeClock()
const ENTRY = entryOf(clock, 'users', 'a', 'value')

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const calls: Readonly<Record<Exclude<ChaosOperation, 'keys'>, (tier: ChaosTier) => unknown>> = {
  get: (tier) => tier.get(KEY),
  lease: (tier) => tier.lease(),
  put: (tier) => tier.put(ENTRY),
  remove: (tier) => tier.remove({ kind: 'key', key: KEY }),
  count: (tier) => tier.count({ kind: 'all' }),
  sweep: (tier) => tier.sweep(0, 1),
}

describe('chaos', () => {
  it('left alone, does what the tier does, and says who it is', async () => {
    const tier = chaos(memory())
    expect(tier.name).toBe('chaos(memory)')
    expect(tier.capabilities).toEqual({ ...memory().capabilities, sync: false })
    expect(await tier.put(ENTRY)).toBe(true)
    expect((await tier.get(KEY))?.value).toBe('value')
    expect(await tier.count({ kind: 'all' })).toBe(1)
    expect(await tier.remove({ kind: 'all' })).toBe(1)
  })

  it.for(Object.entries(calls))(
    '%s fails, hangs and heals as told, and every call is in the log',
    async ([name, call]) => {
      const operation = name as ChaosOperation
      const tier = chaos(memory())
      tier.fail(operation, { times: 2, error: new Error('told so') })
      await expect(call(tier)).rejects.toThrow('told so')
      await expect(call(tier)).rejects.toThrow('told so')
      await call(tier)
      tier.hang(operation)
      let answered = false
      const hanging = Promise.resolve(call(tier)).then(() => (answered = true))
      await settled()
      expect(answered).toBe(false)
      tier.heal()
      await hanging
      await call(tier)
      expect(tier.calls.map((it) => `${it.operation} ${it.outcome}`)).toEqual(
        ['failed', 'failed', 'passed', 'hung', 'passed'].map((it) => `${name} ${it}`),
      )
      const hasKey = ['get', 'put', 'remove'].includes(name)
      expect(tier.calls.map(({ key }) => key)).toEqual(Array.from({ length: 5 }, () => (hasKey ? 'a' : undefined)))
    },
  )

  it('only what was told: other operations pass', async () => {
    const tier = chaos(memory()).fail('get')
    await tier.put(ENTRY)
    await expect(tier.get(KEY)).rejects.toThrow('chaos: get failed')
    expect(await tier.count({ kind: 'all' })).toBe(1)
  })

  it('lists fail as well', async () => {
    const tier = chaos(memory()).fail('keys')
    const list = async (): Promise<number> => {
      let listed = 0
      for await (const { key } of tier.keys({ kind: 'all' })) listed += key.id.length
      return listed
    }
    await expect(list()).rejects.toThrow('chaos: keys failed')
    tier.heal()
    await tier.put(ENTRY)
    expect(await list()).toBe(1)
  })

  it('a delay goes by the clock of the cache', async () => {
    const own = new FakeClock()
    const tier = chaos(memory())
    tier.attach({ clock: own, report: () => {} })
    tier.delay('get', 250)
    let answered = false
    const late = Promise.resolve(tier.get(KEY)).then(() => (answered = true))
    await own.advance(249)
    expect(answered).toBe(false)
    await own.advance(1)
    await late
    expect(tier.calls).toMatchObject([{ operation: 'get', outcome: 'delayed' }])
  })

  it('corrupts entries on their way out, and says so', async () => {
    const tier = chaos(memory()).corrupt((entry: Entry) => ({ ...entry, value: 'wrong' }))
    await tier.put(ENTRY)
    expect((await tier.get(KEY))?.value).toBe('wrong')
    expect(await tier.get({ name: 'users', id: 'missing' })).toBeUndefined()
    expect(tier.calls.map(({ outcome }) => outcome)).toEqual(['passed', 'passed', 'corrupted', 'passed'])
    tier.heal()
    expect((await tier.get(KEY))?.value).toBe('value')
  })
})
