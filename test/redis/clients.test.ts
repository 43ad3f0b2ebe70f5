// What is handed to `redis()`: the clients of both libraries as they are, and nothing else.

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Redis, type Cluster } from 'ioredis'
import { createClient, createClientPool, createCluster, type RedisClientType } from 'redis'
import { afterAll, expect, expectTypeOf, it } from 'vitest'
import { isTidemarkError } from 'tidemark'
import { redis, type RedisClient, type RedisOptions } from 'tidemark/redis'
import { FakeClock } from 'tidemark/testing'
import { requireService } from '../services.ts'
import { until } from './app.ts'
import { removeKeys } from './shared.ts'
import { entryOf } from './tiers.ts'

it('takes the clients of ioredis and node-redis as their packages type them', () => {
  expectTypeOf<Redis>().toExtend<RedisClient>()
  expectTypeOf<Redis<'resp3'>>().toExtend<RedisClient>()
  expectTypeOf<Cluster>().toExtend<RedisClient>()
  expectTypeOf<ReturnType<typeof createClient>>().toExtend<RedisClient>()
  expectTypeOf(() => createClient({ RESP: 2 })).returns.toExtend<RedisClient>()
  expectTypeOf<RedisClientType>().toExtend<RedisClient>()
  expectTypeOf<ReturnType<typeof createCluster>>().toExtend<RedisClient>()
  expectTypeOf(() => createCluster({ rootNodes: [] })).returns.toExtend<RedisClient>()
  expectTypeOf<Map<string, string>>().not.toExtend<RedisClient>()
})

it('refuses what is no client, and options that are wrong or unknown', () => {
  const client = new Redis({ lazyConnect: true })
  const wrong: readonly (readonly [string, unknown])[] = [
    ['invalid-option', { client: undefined }],
    ['invalid-option', { client: {} }],
    ['invalid-option', { client: 'redis://127.0.0.1' }],
    ['invalid-option', { client: createClientPool({}) }],
    ['invalid-option', { client, subscriber: client }],
    ['invalid-option', { client, subscriber: {} }],
    ['invalid-option', { client, prefix: '' }],
    ['invalid-option', { client, prefix: 'a{b' }],
    ['invalid-option', { client, prefix: 'a b' }],
    ['invalid-option', { client, maxEntryBytes: 0 }],
    ['invalid-option', { client, maxEntryBytes: 1e12 }],
    ['unknown-option', { client, ttl: 5 }],
  ]
  for (const [code, options] of wrong) {
    try {
      redis(options as RedisOptions)
    } catch (error) {
      expect(isTidemarkError(error) && error.code, JSON.stringify(error)).toBe(code)
      continue
    }
    throw new Error(`redis() took ${String(Object.keys(options as object))}`)
  }
  expect(redis({ client, prefix: undefined, subscriber: undefined }).name).toBe('redis')
})

await requireService('redis', (url) => {
  afterAll(async () => {
    const client = new Redis(url)
    await removeKeys(client, `tidemark-test-${process.pid}`)
    client.disconnect()
  })

  const ioredis = (make: () => Redis | Redis<'resp3'>) => async (): Promise<[RedisClient, () => void]> => {
    const client = make()
    return [client, () => client.disconnect()]
  }
  const nodeRedis = (options: Parameters<typeof createClient>[0]) => async (): Promise<[RedisClient, () => void]> => {
    const client = createClient({ url, ...options })
    await client.connect()
    return [client, () => client.destroy()]
  }

  it.for([
    ['ioredis, RESP2', ioredis(() => new Redis(url, { protocol: 2 }))],
    ['ioredis, RESP3', ioredis(() => new Redis(url, { protocol: 3, replyMapping: 'resp3' }))],
    ['ioredis, numbers as strings', ioredis(() => new Redis(url, { stringNumbers: true }))],
    [
      'ioredis, a prefix of its own for all keys',
      ioredis(() => new Redis(url, { keyPrefix: `{tidemark-test-${process.pid}-own:` })),
    ],
    ['ioredis, commands gathered by itself', ioredis(() => new Redis(url, { enableAutoPipelining: true }))],
    ['node-redis, RESP2', nodeRedis({ RESP: 2 })],
    ['node-redis, RESP3', nodeRedis({ RESP: 3 })],
    ['node-redis, a prefix of its own for all keys', nodeRedis({ keyPrefix: `tidemark-test-${process.pid}-own:` })],
  ] as const)('%s', async ([title, connect]) => {
    const prefix = `tidemark-test-${process.pid}-${title.replaceAll(/\W/g, '')}`
    const [[client, disconnect], [subscriber, unsubscribe]] = [await connect(), await connect()]
    const [a, b] = [redis({ client, subscriber, prefix }), redis({ client, prefix })]
    const clock = new FakeClock()
    for (const tier of [a, b]) tier.attach?.({ clock, report: () => {} })
    const heard: unknown[] = []
    a.feed?.listen((changed) => heard.push(changed))
    const key = { name: 'users', id: 'a' }
    const lease = await a.lease()
    expect(await a.put(entryOf(clock, 'a', { n: 1 }, { tags: ['t'] }), lease)).toBe(true)
    expect((await b.get(key))?.value).toEqual({ n: 1 })
    const stop = a.feed?.poll()
    await a.feed?.check()
    expect(await b.remove({ kind: 'tag', tag: 't' })).toBe(1)
    await until(() => heard.length > 0)
    expect(await a.put(entryOf(clock, 'a', 'old', { tags: ['t'] }), lease)).toBe(false)
    expect(await a.claims?.acquire(key, 'A', clock.now() + 1_000)).toBe(true)
    expect(await b.claims?.acquire(key, 'B', clock.now() + 1_000)).toBe(false)
    expect(await a.sweep(clock.now(), 10)).toBe(0)
    stop?.()
    await a.close()
    await b.close()
    disconnect()
    unsubscribe()
  })

  it('leaves a client as it was when it is closed', async () => {
    const [client, subscriber] = [new Redis(url), new Redis(url)]
    const listeners = (): number =>
      [client, subscriber]
        .flatMap((it) => it.eventNames().map((name) => it.listenerCount(name)))
        .reduce((a, b) => a + b, 0)
    // Both are connected, so that nothing of their own comes or goes meanwhile.
    await Promise.all([client.ping(), subscriber.ping()])
    const before = listeners()
    const tier = redis({ client, subscriber, prefix: `tidemark-test-${process.pid}` })
    const stop = tier.feed?.poll()
    await tier.get({ name: 'users', id: 'a' })
    expect(listeners()).toBeGreaterThan(before)
    stop?.()
    await tier.close()
    expect(listeners()).toBe(before)
    expect(await client.ping()).toBe('PONG')
    client.disconnect()
    subscriber.disconnect()
  })

  it('skips what is too large, and what it was to replace is gone', async () => {
    const client = new Redis(url)
    const prefix = `tidemark-test-${process.pid}-large`
    const tier = redis({ client, prefix, maxEntryBytes: 100 })
    const reports: unknown[] = []
    const now = Date.now()
    const times = {
      loadedAt: now,
      freshUntil: now + 1e6,
      staleUntil: now + 1e6,
      errorUntil: now + 1e6,
      keepUntil: now + 1e6,
    }
    const { systemClock } = await import('../../src/clock.ts')
    tier.attach?.({ clock: systemClock, report: (news) => reports.push(news) })
    const key = { name: 'users', id: 'a' }
    expect(await tier.put({ key, value: 'x'.repeat(90), ...times })).toBe(true)
    expect(await tier.put({ key, value: 'x'.repeat(200), ...times })).toBe(true)
    expect(reports).toMatchObject([{ kind: 'skipped', why: 'too-large', key }])
    expect(await tier.get(key)).toBeUndefined()
    client.disconnect()
  })

  it('a process that closes its clients ends by itself', () => {
    const main = fileURLToPath(new URL('exit-main.ts', import.meta.url))
    const { status, stdout } = spawnSync(process.execPath, [main, url, `tidemark-test-${process.pid}-exit`], {
      encoding: 'utf8',
      timeout: 20_000,
    })
    expect(stdout).toBe('value\n')
    expect(status).toBe(0)
  })
})
