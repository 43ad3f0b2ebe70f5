// The suite that bentocache publishes for its drivers, over the tiers. It is written for another runner, of which it uses
// hooks, `assert` and `cleanup`; they are handed to it in the words of this one.

import { join } from 'node:path'
import { BentoCache, bentostore } from 'bentocache'
import { registerCacheDriverTestSuite } from 'bentocache/test_suite'
import { Redis } from 'ioredis'
import { createTidemark, jsonl, memory, sqlite, type Tidemark, type TierOptions } from 'tidemark'
import { redis } from 'tidemark/redis'
import { afterAll, afterEach, assert, beforeAll, describe, expect, it } from 'vitest'
import { testFolder } from '../folder.ts'
import { removeKeys } from '../redis/shared.ts'
import { requireService } from '../services.ts'
import { BentocacheDriver } from './bentocache-driver.ts'

const RUN = `tidemark-test-bentocache-${process.pid}-${Date.now()}`
const folder = testFolder()
/** These tests are about what happens, not how fast. */
const budget = '10s'
/** How many tests the suite has in the version that is installed. */
const TESTS = 21

/** Registers the suite; `make` is called once, before it runs. */
function bentocacheSuite(make: () => Tidemark): void {
  let tide: Tidemark
  let tests = 0
  beforeAll(() => {
    tide = make()
    return () => tide.close()
  })
  const group = {
    setup: beforeAll,
    tap: () => {},
    each: { teardown: afterEach },
  }
  const test = (name: string, run: (context: object) => Promise<void>): void => {
    tests++
    it(name, ({ onTestFinished }) => run({ assert, cleanup: onTestFinished }), 60_000)
  }
  registerCacheDriverTestSuite({
    test,
    group,
    createDriver: (options) => new BentocacheDriver(tide, options),
  })
  it('is the whole suite', () => expect(tests).toBe(TESTS))
}

const over = (...tiers: TierOptions[]): Tidemark => createTidemark({ tiers: [memory(), ...tiers] })

describe('memory and sqlite', () => {
  bentocacheSuite(() => over({ tier: sqlite({ path: join(folder, 'cache.db') }), budget }))
})

describe('memory and jsonl', () => {
  bentocacheSuite(() => over({ tier: jsonl({ path: join(folder, 'segments') }), budget }))
})

await requireService('redis', (url) => {
  describe('memory and redis', () => {
    const client = new Redis(url, { lazyConnect: true })
    bentocacheSuite(() => over({ tier: redis({ client, prefix: RUN }), budget }))
    afterAll(async () => {
      await removeKeys(client, RUN)
      client.disconnect()
    })
  })
})

it('a bentocache over it shares what another one loaded', async () => {
  await using tide = over({ tier: sqlite({ path: ':memory:' }) })
  const layer = { options: {}, factory: () => new BentocacheDriver(tide) }
  const [one, two] = [0, 1].map(
    () => new BentoCache({ default: 'cache', stores: { cache: bentostore().useL2Layer(layer) } }),
  ) as [BentoCache<never>, BentoCache<never>]
  const options = { key: 'user:1', ttl: '1m' } as const
  expect(await one.getOrSet({ ...options, factory: () => ({ name: 'Ada' }) })).toEqual({ name: 'Ada' })
  expect(await two.getOrSet({ ...options, factory: () => ({ name: 'another' }) })).toEqual({ name: 'Ada' })
  await one.namespace('users').set({ key: 'a', value: 1 })
  await one.namespace('users').clear()
  expect(await two.namespace('users').get({ key: 'a' })).toBeUndefined()
  expect(await two.get({ key: 'user:1' })).toEqual({ name: 'Ada' })
})
