// A user of Redis with no more rights than docs/tiers/redis.md asks for; and what is said of one with fewer.

import { readFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import { expect, it, onTestFinished } from 'vitest'
import { isTidemarkError, type ErrorCode, type Tier } from 'tidemark'
import { redis } from 'tidemark/redis'
import { FakeClock } from 'tidemark/testing'
import { requireProgram } from '../services.ts'
import { until } from './app.ts'
import { SERVER_PROGRAMS, startServer, type PrivateServer } from './server.ts'
import { entryOf } from './tiers.ts'

const PAGE = new URL('../../docs/tiers/redis.md', import.meta.url)
const rights = (): string[] =>
  (/needs `([^`]+)` on\s+`[^`]+` and\s+`[^`]+`/.exec(readFileSync(PAGE, 'utf8'))?.[1] ?? '').split(' ')
const KEY = { name: 'users', id: 'a' }
const clock = new FakeClock()

async function codeOf(work: () => unknown): Promise<ErrorCode | undefined> {
  try {
    await work()
    return undefined
  } catch (error) {
    return isTidemarkError(error) ? error.code : undefined
  }
}

requireProgram(SERVER_PROGRAMS, (program) => {
  function connect(server: PrivateServer): Redis {
    const client = new Redis({ port: server.port, username: 'app', password: 'secret', retryStrategy: () => 50 })
    onTestFinished(() => client.disconnect())
    return client
  }

  async function tierOf(server: PrivateServer, allowed: readonly string[]): Promise<Tier> {
    await server.command(
      'ACL',
      'SETUSER',
      'app',
      'on',
      '>secret',
      '~{tidemark*',
      '&tidemark:changes',
      '-@all',
      ...allowed,
    )
    const tier = redis({ client: connect(server), subscriber: connect(server) })
    tier.attach?.({ clock, report: () => {} })
    onTestFinished(() => tier.close())
    return tier
  }

  it('the rights on the page are enough', async () => {
    const server = await startServer(program)
    const tier = await tierOf(server, rights())
    const heard: unknown[] = []
    tier.feed?.listen((changed) => heard.push(changed))
    const entry = entryOf(clock, 'a', 1, { tags: ['t'], freshUntil: clock.now() + 60_000 })
    expect(await tier.put(entry, await tier.lease())).toBe(true)
    expect((await tier.get(KEY))?.value).toBe(1)
    const stop = tier.feed?.poll()
    onTestFinished(() => stop?.())
    await until(
      async () => Number(((await server.command('PUBSUB', 'NUMSUB', 'tidemark:changes')) as unknown[])[1]) === 1,
    )
    const other = redis({ client: connect(server) })
    other.attach?.({ clock, report: () => {} })
    expect(await other.remove({ kind: 'tag', tag: 't' }, clock.now())).toBe(1)
    await until(() => heard.length > 0)
    expect(await tier.count({ kind: 'tag', tag: 't' })).toBe(1)
    for await (const info of tier.keys({ kind: 'all' })) expect(info.key).toEqual(KEY)
    expect(await tier.claims?.acquire(KEY, 'A', clock.now() + 1_000)).toBe(true)
    await tier.claims?.release(KEY, 'A')
    expect(await tier.sweep(clock.now(), 10)).toBe(0)
    expect(await tier.remove({ kind: 'all' })).toBe(1)
    await other.close()
  })

  it('none of them is too many', async () => {
    const server = await startServer(program)
    // What ioredis itself needs to connect, and what only a loss of protection tells of.
    const needed = rights().filter((it) => !['+@connection', '+info', '+subscribe', '+unsubscribe'].includes(it))
    expect(needed.length).toBeGreaterThan(3)
    for (const right of needed) {
      await server.command('ACL', 'DELUSER', 'app')
      const tier = await tierOf(
        server,
        rights().filter((it) => it !== right),
      )
      const work = async (): Promise<void> => {
        await tier.put(entryOf(clock, 'a', 1))
        await tier.get(KEY)
        await tier.remove({ kind: 'key', key: KEY })
      }
      expect(await codeOf(work), right).toBe('tier-unavailable')
    }
  })

  it('what others store under our keys is left alone, and said', async () => {
    const server = await startServer(program)
    await server.command('RPUSH', '{tidemark:users}:m', 'a list of somebody')
    const client = server.connect()
    const tier = redis({ client })
    onTestFinished(() => client.disconnect())
    expect(await codeOf(() => tier.put(entryOf(clock, 'a', 1)))).toBe('tier-foreign')
    expect(await server.command('LRANGE', '{tidemark:users}:m', 0, -1)).toEqual(['a list of somebody'])
  })
})
