// A client keeps commands for as long as its connection is down, and a frozen server answers what it was sent before. By
// then the caller has given up and others have changed the same entries: what comes late must not be made.

import { describe, expect, it, onTestFinished } from 'vitest'
import { createClient } from 'redis'
import type { Lease, Tier } from 'tidemark'
import { redis, type RedisClient } from 'tidemark/redis'
import { FakeClock } from 'tidemark/testing'
import { requireProgram } from '../services.ts'
import { pause, until } from './app.ts'
import { startProxy } from './proxy.ts'
import { SERVER_PROGRAMS, startServer, type PrivateServer } from './server.ts'
import { entryOf } from './tiers.ts'

const BUDGET_MS = 200
const KEY = { name: 'users', id: 'a' }

type Connect = (server: PrivateServer, port: number) => Promise<RedisClient>

const clients: readonly (readonly [string, Connect])[] = [
  [
    'ioredis',
    async (server, port) => {
      const client = server.connect(port)
      onTestFinished(() => client.disconnect())
      return client
    },
  ],
  [
    'node-redis',
    async (_, port) => {
      const client = createClient({ socket: { port, host: '127.0.0.1', reconnectStrategy: 50 } })
      client.on('error', () => {})
      await client.connect()
      onTestFinished(() => client.destroy())
      return client
    },
  ],
]

requireProgram(SERVER_PROGRAMS, (program) => {
  describe.each(clients)('%s', (_, connect) => {
    const clock = new FakeClock()

    async function tierOver(server: PrivateServer, port: number): Promise<Tier> {
      const tier = redis({ client: await connect(server, port) })
      tier.attach?.({ clock, report: () => {}, budgetMs: BUDGET_MS })
      await tier.get(KEY)
      return tier
    }

    const writes: readonly (readonly [string, (tier: Tier, lease: Lease) => unknown])[] = [
      ['a set', (tier) => tier.put(entryOf(clock, 'a', 'late'))],
      ['a store under a lease', (tier, lease) => tier.put(entryOf(clock, 'a', 'late'), lease)],
      ['a removal', (tier) => tier.remove({ kind: 'key', key: KEY })],
      ['a removal by tag', (tier) => tier.remove({ kind: 'tag', tag: 't' })],
      ['an invalidation', (tier) => tier.remove({ kind: 'name', name: 'users' }, clock.now())],
    ]

    it.for(writes)('frozen server: %s', async ([, write]) => {
      const server = await startServer(program)
      const [tier, other] = [await tierOver(server, server.port), await tierOver(server, server.port)]
      await other.put(entryOf(clock, 'a', 'kept', { tags: ['t'] }))
      const lease = await tier.lease()
      server.freeze()
      const late = Promise.resolve(write(tier, lease)).then(
        (answer) => (answer === false ? 'refused' : 'made'),
        (error: unknown) => (error instanceof Error ? error.message : ''),
      )
      await pause(BUDGET_MS + 100)
      server.thaw()
      expect(await late).toContain('came later than')
      expect((await other.get(KEY))?.value).toBe('kept')
    })

    it.for(writes)('connection down: %s', async ([, write]) => {
      const server = await startServer(program)
      const proxy = await startProxy(server.port)
      const [tier, other] = [await tierOver(server, proxy.port), await tierOver(server, server.port)]
      await other.put(entryOf(clock, 'a', 'kept', { tags: ['t'] }))
      const lease = await tier.lease()
      await proxy.refuse()
      await pause(50)
      const late = Promise.resolve(write(tier, lease)).then(
        (answer) => (answer === false ? 'refused' : 'made'),
        () => 'refused',
      )
      await pause(BUDGET_MS + 100)
      await proxy.listen()
      expect(await late).toBe('refused')
      await until(async () => (await Promise.resolve(tier.get(KEY)).catch(() => undefined))?.value === 'kept')
      expect((await other.get(KEY))?.value).toBe('kept')
    })

    it('a clock of Redis that stepped forward refuses nothing that is in time', async () => {
      const server = await startServer(program)
      const tier = await tierOver(server, server.port)
      // The same to the tier as a step of Redis's clock: it takes the time from its own, which has moved back.
      const now = performance.now.bind(performance)
      onTestFinished(() => void (performance.now = now))
      performance.now = () => now() - 3_600_000
      expect(await tier.put(entryOf(clock, 'a', 'in time'))).toBe(true)
      expect((await tier.get(KEY))?.value).toBe('in time')
    })
  })
})
