// C3 with a PostgreSQL of the test's own: it is cut off, reset, crashed, restarted, locked and made read only. Each time readers
// wait a bounded time, nothing old is served once the news have come, and all is well again without a restart.

import { Pool } from 'pg'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { slotOfKey } from '../../src/slot.ts'
import { postgres } from 'tidemark/postgres'
import { FakeClock } from 'tidemark/testing'
import { startProxy } from '../redis/proxy.ts'
import { requireProgram } from '../services.ts'
import { pause, timed, until, type App } from '../tier/app.ts'
import { entryOf, memberOf } from '../tier/member.ts'
import { privatePostgres, startApp } from './server.ts'

const isUp = async (app: App): Promise<boolean> => (await app.status()).state === 'up'
const isOut = async (app: App): Promise<boolean> => (await app.status()).state === 'open'

requireProgram(['postgres'], (program) => {
  const server = privatePostgres(program)
  let schemas = 0
  /** A schema whose tables are there: making them may take longer than a budget. */
  const newSchema = async (): Promise<string> => {
    const schema = `cache_${schemas++}`
    const pool = new Pool({ connectionString: server.url(), max: 1 })
    const tier = postgres({ client: pool, schema })
    await tier.lease()
    await pool.end()
    return schema
  }

  it('black hole: a reader waits its budget once, then not at all; afterwards the tier comes back', async () => {
    const schema = await newSchema()
    const proxy = await startProxy(server.port)
    const app = startApp(server, { schema, port: proxy.port })
    await app.users.set('before', 'set before')
    await until(() => isUp(app))
    proxy.silence()
    const times: number[] = []
    for (let i = 0; i < 20; i++) times.push(await timed(() => app.users.get(String(i))))
    // Its budget is 100 ms, and a busy machine takes its time.
    expect(Math.max(...times)).toBeLessThan(2_000)
    expect((await app.status()).state).toBe('open')
    expect(await timed(() => app.users.get('more'))).toBeLessThan(100)
    await app.users.set('during', 'set during')
    await app.users.delete('before')
    proxy.speak()
    await until(() => isUp(app), 40_000)
    const other = startApp(server, { schema, budget: 5_000 })
    expect(await other.users.get('during')).toBe('set during')
    expect(await other.users.get('before')).toBe('loaded before')
  })

  it('refused connections: nothing is lost, nothing hangs', async () => {
    const schema = await newSchema()
    const proxy = await startProxy(server.port)
    const app = startApp(server, { schema, port: proxy.port })
    await until(() => app.users.set('k', 'old').then(() => isUp(app)))
    await proxy.refuse()
    for (let i = 0; i < 4; i++) await app.users.get(`other ${i}`)
    await until(() => isOut(app))
    await app.users.set('k', 'new')
    await proxy.listen()
    await until(() => isUp(app))
    expect(await startApp(server, { schema, budget: 5_000 }).users.get('k')).toBe('new')
  })

  it.for([0, 1, 100, 30_000])('reset after %i bytes of an answer: a value is whole or not there', async (bytes) => {
    const proxy = await startProxy(server.port)
    const big = 'x'.repeat(20_000)
    const options = { schema: await newSchema(), port: proxy.port, withMemory: false, budget: 5_000 }
    const app = startApp(server, { ...options, load: async () => 'loaded' })
    for (let i = 0; i < 20; i++) await app.users.set(String(i), big)
    proxy.resetAfter(bytes)
    const seen = await Promise.all(Array.from({ length: 20 }, (_, i) => app.users.get(String(i))))
    expect(new Set([...seen, big, 'loaded'])).toEqual(new Set([big, 'loaded']))
    await until(() => isUp(app))
    await until(async () => (await app.users.read('new')).tier === 'postgres')
  })

  it('sessions that are ended by an administrator: the next ones do', async () => {
    const schema = await newSchema()
    const app = startApp(server, { schema, withMemory: false, budget: 5_000 })
    await app.users.set('k', 'v')
    await server.endSessions()
    await until(async () => (await app.users.read('k')).tier === 'postgres')
    await until(() => isUp(app))
  })

  describe('crashed, which empties the tables', () => {
    it('a backend that dies takes all down: nobody keeps what is not known to be current', async () => {
      const schema = await newSchema()
      let version = 1
      const load = async (): Promise<string> => `v${version}`
      const [a, b] = [
        startApp(server, { schema, load, budget: 5_000 }),
        startApp(server, { schema, load, budget: 5_000 }),
      ]
      for (const app of [a, b]) expect(await app.users.get('k')).toBe('v1')
      expect(b.users.peek('k')).toBe('v1')
      version = 2
      const victim = await server.connect()
      const { rows } = await victim.query<{ pid: number }>('select pg_backend_pid() as pid')
      process.kill(rows[0]?.pid as number, 'SIGKILL')
      for (const app of [a, b]) await until(() => app.users.peek('k') === undefined)
      for (const app of [a, b]) await until(async () => (await app.users.get('k')) === 'v2')
      for (const app of [a, b]) await until(() => isUp(app))
      await a.users.set('k', 'v3')
      await until(async () => (await b.users.get('k')) === 'v3')
    })

    it('a load from before is stored nowhere', async () => {
      const schema = await newSchema()
      const loading = Promise.withResolvers<string>()
      let loads = 0
      const load = (): Promise<string> => (loads++ === 0 ? loading.promise : Promise.resolve('new'))
      const app = startApp(server, { schema, load, withMemory: false, budget: 5_000 })
      const early = app.users.get('k')
      await until(() => loads === 1)
      await server.crash()
      await server.start()
      loading.resolve('old')
      expect(await early).toBe('old')
      await until(() => isUp(app))
      expect(await app.users.get('k')).toBe('new')
    })
  })

  it('restarted by an administrator: what was there still is', async () => {
    const schema = await newSchema()
    const app = startApp(server, { schema, withMemory: false, budget: 5_000 })
    await app.users.set('k', 'kept')
    await server.stop()
    expect(await app.users.get('other')).toBe('loaded other')
    await server.start()
    await until(() => isUp(app))
    await until(async () => (await app.users.read('k')).tier === 'postgres')
    expect(await app.users.get('k')).toBe('kept')
  })

  it('tables that something else locks: bounded, connections are left for others, and back when they are free', async () => {
    const schema = await newSchema()
    const app = startApp(server, { schema })
    await until(() => app.users.set('k', 'old').then(() => isUp(app)))
    const locker = await server.connect()
    await locker.query(`begin; lock table ${schema}.entries in access exclusive mode`)
    const times: number[] = []
    for (let i = 0; i < 20; i++) times.push(await timed(() => app.users.get(String(i))))
    expect(Math.max(...times)).toBeLessThan(2_000)
    await until(() => isOut(app))
    expect((await app.pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    await app.users.set('k', 'new')
    await locker.query('commit')
    await until(() => isUp(app), 40_000)
    expect(await startApp(server, { schema, budget: 5_000 }).users.get('k')).toBe('new')
  })

  it('statements that are cancelled: a failure that opens the guard, and goes by', async () => {
    const schema = await newSchema()
    await startApp(server, { schema, budget: 5_000 }).users.set('k', 'v')
    const app = startApp(server, { schema, withMemory: false, budget: 5_000, settings: '-c statement_timeout=100' })
    expect(await app.users.get('k')).toBe('v')
    const locker = await server.connect()
    await locker.query(`begin; lock table ${schema}.entries in access exclusive mode`)
    for (let i = 0; i < 4; i++) expect(await app.users.get(`k${i}`)).toBe(`loaded k${i}`)
    await until(() => isOut(app))
    const failure = app.events.find((event) => event.type === 'tier-failed')
    expect(failure).toMatchObject({ error: { code: 'tier-busy' } })
    await locker.query('commit')
    await until(() => isUp(app))
    expect(await app.users.get('k')).toBe('v')
  })

  it('read only: reads go on, writes wait until it is no more', async () => {
    const schema = await newSchema()
    const app = startApp(server, { schema, withMemory: false, budget: 5_000 })
    await app.users.set('k', 'old')
    const notReadOnly = async (): Promise<void> =>
      void (await server.rows('set transaction read write; alter role postgres reset default_transaction_read_only'))
    onTestFinished(notReadOnly)
    await server.rows('alter role postgres set default_transaction_read_only = on')
    await server.endSessions()
    await pause(50)
    await until(async () => {
      await app.users.set('k', 'new')
      return (await app.status()).state === 'read-only'
    })
    expect(await app.users.get('k')).toBe('new')
    await notReadOnly()
    await server.endSessions()
    await until(() => isUp(app))
    expect(await startApp(server, { schema, budget: 5_000 }).users.get('k')).toBe('new')
  })

  describe('what comes late is not made', () => {
    const clock = new FakeClock()
    const key = { name: 'users', id: 'a' }
    const writes = {
      'a set': (tier: ReturnType<typeof postgres>) => tier.put(entryOf(clock, 'a', 'late')),
      'a removal': (tier: ReturnType<typeof postgres>) => tier.remove({ kind: 'key', key }),
      'an invalidation': (tier: ReturnType<typeof postgres>) => tier.remove({ kind: 'key', key }, clock.now()),
    }

    it.for(Object.keys(writes) as (keyof typeof writes)[])('black hole: %s', async (what) => {
      const schema = await newSchema()
      const proxy = await startProxy(server.port)
      const app = startApp(server, { schema, port: proxy.port, withNews: false })
      const other = startApp(server, { schema, withMemory: false, budget: 5_000 })
      const { tier } = memberOf(postgres({ client: app.pool, schema }), clock, 300)
      const kept = memberOf(postgres({ client: other.pool, schema }), clock).tier
      await kept.put(entryOf(clock, 'a', 'kept'))
      for (let i = 0; i < 10; i++) await tier.feed?.check()
      expect((await tier.get(key))?.value).toBe('kept')
      proxy.silence()
      const late = Promise.resolve(writes[what](tier)).then(
        () => 'made',
        (error: Error) => error.message,
      )
      expect(await late).toContain('came later than')
      await pause(300)
      proxy.speak()
      await pause(300)
      expect((await kept.get(key))?.value).toBe('kept')
      expect((await kept.get(key))?.staleAt).toBeUndefined()
    })

    it('a lock of the key that is held for longer than its caller waits', async () => {
      const schema = await newSchema()
      const app = startApp(server, { schema, budget: 5_000 })
      const { tier } = memberOf(postgres({ client: app.pool, schema }), clock, 200)
      // How far its clock is from ours is known to within the quickest round trip.
      for (let i = 0; i < 10; i++) await tier.feed?.check()
      const { tier: kept } = memberOf(postgres({ client: app.pool, schema }), clock)
      await kept.put(entryOf(clock, 'a', 'kept'))
      const locker = await server.connect()
      await locker.query(
        `begin; select pg_advisory_xact_lock('${schema}.entries'::regclass::oid::int, ${slotOfKey(key)})`,
      )
      const late = Promise.resolve(tier.put(entryOf(clock, 'a', 'late'))).then(
        () => 'made',
        () => 'refused',
      )
      expect(await late).toBe('refused')
      await pause(300)
      await locker.query('commit')
      await pause(300)
      expect((await kept.get(key))?.value).toBe('kept')
    })
  })

  it('no-unhandled-rejection, no-leak: lines cut at random under load', { timeout: 90_000 }, async () => {
    const rejected = vi.fn<(reason: unknown) => void>()
    process.on('unhandledRejection', rejected)
    const proxy = await startProxy(server.port)
    const app = startApp(server, { schema: await newSchema(), port: proxy.port })
    const work = new AbortController()
    const load = async (n: number): Promise<void> => {
      for (let i = 0; !work.signal.aborted; i++) {
        const key = `k${(i * 7 + n) % 20}`
        await (i % 5 === 0 ? app.users.set(key, 'set') : i % 9 === 0 ? app.users.delete(key) : app.users.get(key))
        await pause(1)
      }
    }
    const loops = Array.from({ length: 6 }, (_, n) => load(n))
    for (let round = 0; round < 8; round++) {
      const cut = round % 4
      if (cut === 0) proxy.reset()
      else if (cut === 1) proxy.silence()
      else if (cut === 2) await proxy.refuse()
      else proxy.resetAfter(500)
      await pause(150)
      if (cut === 1) proxy.speak()
      if (cut === 2) await proxy.listen()
      await pause(100)
    }
    work.abort()
    await Promise.all(loops)
    await until(() => isUp(app), 60_000)
    await until(async () => (await app.tide.stats()).loading === 0)
    expect(await app.status()).toMatchObject({ journal: { items: 0 } })
    process.off('unhandledRejection', rejected)
    expect(rejected).not.toHaveBeenCalled()
  })
})
