// C3 with a Redis of the test's own: it is cut off, frozen, reset, emptied, filled and made a replica. Each time readers
// wait a bounded time, nothing old is served once the bus has caught up, and all is well again without a restart.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { ttl, type Resource } from 'tidemark'
import { redis } from 'tidemark/redis'
import { pause, startApp, timed, until, type App } from './app.ts'
import { startProxy } from './proxy.ts'
import { SERVER_PROGRAMS, startServer, type PrivateServer } from './server.ts'
import { requireProgram } from '../services.ts'

const isUp = async (app: App): Promise<boolean> => (await app.status()).state === 'up'
const isOut = async (app: App): Promise<boolean> => (await app.status()).state === 'open'

requireProgram(SERVER_PROGRAMS, (program) => {
  describe('slow-reset-partitioned-redis', () => {
    it('black hole: a reader waits its budget once, then not at all; afterwards the tier comes back', async () => {
      const server = await startServer(program)
      const proxy = await startProxy(server.port)
      const app = startApp(server, { port: proxy.port })
      await app.users.set('before', 'set before')
      proxy.silence()
      const times: number[] = []
      for (let i = 0; i < 20; i++) times.push(await timed(() => app.users.get(String(i))))
      // Its budget is 100 ms, and a busy machine takes its time.
      expect(Math.max(...times)).toBeLessThan(1_000)
      expect(times.slice(6).toSorted((a, b) => a - b)[7]).toBeLessThan(50)
      expect((await app.status()).state).toBe('open')
      await app.users.set('during', 'set during')
      await app.users.delete('before')
      proxy.speak()
      await until(() => isUp(app))
      const other = startApp(server)
      expect(await other.users.get('during')).toBe('set during')
      expect(await other.users.get('before')).toBe('loaded before')
    })

    it('frozen server: what it was sent meanwhile is not made when it goes on', async () => {
      const server = await startServer(program)
      const [a, b] = [startApp(server), startApp(server)]
      await a.users.set('k', 'old')
      expect(await b.users.get('k')).toBe('old')
      server.freeze()
      await a.users.set('k', 'set while frozen')
      await a.users.delete('k')
      expect(await a.users.get('k')).toBe('loaded k')
      await pause(300)
      server.thaw()
      for (const app of [a, b]) await until(() => app.users.get('other').then(() => isUp(app)))
      for (const app of [a, b, startApp(server)]) await until(async () => (await app.users.get('k')) === 'loaded k')
    })

    it.for([0, 1, 7, 100, 5_000])('reset after %i bytes of an answer: a value is whole or not there', async (bytes) => {
      const server = await startServer(program)
      const proxy = await startProxy(server.port)
      const big = 'x'.repeat(20_000)
      const app = startApp(server, { port: proxy.port, withMemory: false, load: async () => 'loaded' })
      for (let i = 0; i < 20; i++) await app.users.set(String(i), big)
      proxy.resetAfter(bytes)
      const seen = await Promise.all(Array.from({ length: 20 }, (_, i) => app.users.get(String(i))))
      expect(new Set([...seen, big, 'loaded'])).toEqual(new Set([big, 'loaded']))
      await until(() => isUp(app))
      await until(async () => (await app.users.read('new')).tier === 'redis')
    })

    it('refused connections: nothing is lost, nothing hangs, and the client needs no help to come back', async () => {
      const server = await startServer(program)
      const proxy = await startProxy(server.port)
      const app = startApp(server, { port: proxy.port })
      await app.users.set('k', 'old')
      await proxy.refuse()
      for (let i = 0; i < 4; i++) await app.users.get(`other ${i}`)
      await until(() => isOut(app))
      await app.users.set('k', 'new')
      await proxy.listen()
      await until(() => isUp(app))
      expect(await startApp(server).users.get('k')).toBe('new')
    })

    it('names used for the first time while it was away: what others changed in them meanwhile is not served', async () => {
      const server = await startServer(program)
      const proxy = await startProxy(server.port)
      await proxy.refuse()
      let version = 1
      const load = async (): Promise<string> => `v${version}`
      const [a, b] = [startApp(server, { port: proxy.port, load }), startApp(server, { load })]
      const [late, lateOfB] = [a, b].map(({ tide }) =>
        tide.resource<string, string>({ name: 'late', load, freshness: ttl('1h') }),
      ) as [Resource<string, string>, Resource<string, string>]
      for (let i = 0; i < 4; i++) await a.users.get(`k${i}`)
      await until(() => isOut(a))
      expect(await late.get('k')).toBe('v1')
      version = 2
      await lateOfB.delete('k')
      await b.users.delete('k0')
      await proxy.listen()
      await until(() => isUp(a))
      expect(await late.get('k')).toBe('v2')
      expect(await a.users.get('k0')).toBe('v2')
    })

    it('a first use that took too long: what others changed since is not served', async () => {
      const server = await startServer(program)
      const proxy = await startProxy(server.port)
      let version = 1
      const load = async (): Promise<string> => `v${version}`
      const [a, b] = [startApp(server, { port: proxy.port, load, failureThreshold: 100 }), startApp(server, { load })]
      await until(() => a.client.status === 'ready')
      proxy.silence()
      expect(await a.users.get('k')).toBe('v1')
      expect((await a.status()).state).not.toBe('open')
      version = 2
      await b.users.delete('k')
      expect(a.users.peek('k')).toBe('v1')
      proxy.speak()
      await until(() => a.users.peek('k') === undefined)
      expect(await a.users.get('k')).toBe('v2')
    })

    it('restarted without its data: nobody keeps what is not known to be current', async () => {
      const server = await startServer(program)
      let version = 1
      const load = async (): Promise<string> => `v${version}`
      const [a, b] = [startApp(server, { load }), startApp(server, { load })]
      for (const app of [a, b]) expect(await app.users.get('k')).toBe('v1')
      expect(b.users.peek('k')).toBe('v1')
      version = 2
      await server.restart()
      for (const app of [a, b]) await until(() => app.users.peek('k') === undefined)
      for (const app of [a, b]) await until(async () => (await app.users.get('k')) === 'v2')
      await a.users.set('k', 'v3')
      await until(async () => (await b.users.get('k')) === 'v3')
    })

    it('emptied in use: a load from before is stored nowhere, memory is dropped, and strict readers see it at once', async () => {
      const server = await startServer(program)
      const loads = [Promise.withResolvers<string>(), Promise.withResolvers<string>()]
      let started = 0
      const load = (): Promise<string> => (loads[started++] as PromiseWithResolvers<string>).promise
      const strict = startApp(server, { coherence: 'strict', load: async () => 'strict' })
      expect(await strict.users.get('other')).toBe('strict')
      const app = startApp(server, { load, withMemory: false })
      const early = app.users.get('k')
      await until(() => started === 1)
      await server.command('FLUSHALL')
      expect((await strict.users.read('other')).tier).toBe('source')
      loads[0]?.resolve('old')
      expect(await early).toBe('old')
      const late = app.users.get('k')
      await until(() => started === 2)
      loads[1]?.resolve('new')
      expect(await late).toBe('new')
    })

    it('restarted from an older snapshot: what was deleted since does not come back', async () => {
      const { server, app, remove } = await withSnapshot()
      await remove()
      await server.restart()
      for (const each of [app, startApp(server)]) await until(async () => (await each.users.get('k')) === 'loaded k')
    })

    it('restarted from an older snapshot: nor to a read that was on its way', async () => {
      const { server, app, remove } = await withSnapshot()
      const tier = redis({ client: app.client })
      const key = { name: 'users', id: 'k' }
      expect((await tier.get(key))?.value).toBe('deleted later')
      await remove()
      server.freeze()
      const reading = tier.get(key)
      await pause(20)
      await server.restart()
      expect(await reading).toBeUndefined()
      await tier.close()
    })

    async function withSnapshot(): Promise<{ server: PrivateServer; app: App; remove: () => Promise<unknown> }> {
      const folder = mkdtempSync(join(tmpdir(), 'tidemark-snapshot-'))
      onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
      const server = await startServer(program, '--dir', folder, '--rdbcompression', 'no')
      const app = startApp(server, { withMemory: false })
      await app.users.set('k', 'deleted later')
      await server.command('SAVE')
      // It does come back: without that these tests would say nothing.
      expect(readFileSync(join(folder, 'dump.rdb')).includes('deleted later')).toBe(true)
      return { server, app, remove: () => app.users.delete('k') }
    }

    it('disk-full: reads and removals go on, a refused set leaves no old value, and writes resume', async () => {
      const server = await startServer(program, '--maxmemory-policy', 'noeviction')
      const [a, b] = [startApp(server), startApp(server, { withMemory: false })]
      for (const key of ['kept', 'replaced', 'deleted']) await a.users.set(key, 'old')
      await server.command('CONFIG', 'SET', 'maxmemory', '1')
      expect(await b.users.get('kept')).toBe('old')
      await a.users.set('replaced', 'new')
      expect(await a.status()).toMatchObject({ state: 'read-only', reason: expect.stringContaining('memory') })
      await a.users.delete('deleted')
      expect(await b.users.get('kept')).toBe('old')
      expect(await b.users.get('replaced')).toBe('loaded replaced')
      expect(await b.users.get('deleted')).toBe('loaded deleted')
      expect(await a.users.get('replaced')).toBe('new')
      await server.command('CONFIG', 'SET', 'maxmemory', '0')
      await until(() => isUp(a))
      await until(() => isUp(b))
      // Of those who missed a change the last to come back decides; the old value is not among what can be.
      expect(['new', 'loaded replaced']).toContain(await startApp(server).users.get('replaced'))
    })

    it('made a replica: reads go on, writes wait until it is a primary again', async () => {
      const server = await startServer(program)
      const app = startApp(server, { withMemory: false })
      await app.users.set('k', 'old')
      await server.command('REPLICAOF', '127.0.0.1', '1')
      await app.users.set('k', 'new')
      expect((await app.status()).state).toBe('read-only')
      expect(await app.users.get('k')).toBe('new')
      await server.command('REPLICAOF', 'NO', 'ONE')
      await until(() => isUp(app))
      expect(await startApp(server).users.get('k')).toBe('new')
    })

    it('busy with a script of somebody else: bounded, and back when it is killed', async () => {
      const server = await startServer(program, '--lua-time-limit', '50')
      const app = startApp(server)
      await app.users.set('k', 'v')
      const busy = server.command('EVAL', 'while true do end', 0).catch(() => {})
      await pause(100)
      expect(await timed(() => app.users.get('other'))).toBeLessThan(1_000)
      await until(() => isOut(app).then((out) => out || app.users.get(String(Math.random())).then(() => false)))
      await server.command('SCRIPT', 'KILL')
      await busy
      await until(() => isUp(app))
    })
  })

  it('no-unhandled-rejection, no-leak: lines cut at random under load', { timeout: 60_000 }, async () => {
    const rejected = vi.fn<(reason: unknown) => void>()
    process.on('unhandledRejection', rejected)
    const server = await startServer(program)
    const proxy = await startProxy(server.port)
    const app = startApp(server, { port: proxy.port, budget: 50 })
    const work = new AbortController()
    const load = async (n: number): Promise<void> => {
      for (let i = 0; !work.signal.aborted; i++) {
        const key = `k${(i * 7 + n) % 20}`
        await (i % 5 === 0 ? app.users.set(key, 'set') : i % 9 === 0 ? app.users.delete(key) : app.users.get(key))
        await pause(1)
      }
    }
    const loops = Array.from({ length: 8 }, (_, n) => load(n))
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
    await until(() => isUp(app), 40_000)
    await until(async () => (await app.tide.stats()).loading === 0)
    expect(await app.status()).toMatchObject({ journal: { items: 0 } })
    process.off('unhandledRejection', rejected)
    expect(rejected).not.toHaveBeenCalled()
  })
})
