// Redis Cluster, of two nodes: everything of one name lies in one slot, so its scripts run there; names lie where they fall.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Cluster } from 'ioredis'
import { createCluster } from 'redis'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { Tier } from 'tidemark'
import { redis, type RedisClient } from 'tidemark/redis'
import { FakeClock } from 'tidemark/testing'
import { requireProgram } from '../services.ts'
import { until } from './app.ts'
import { PrivateServer, SERVER_PROGRAMS, freePort } from './server.ts'
import { entryOf } from './tiers.ts'

const SLOTS = 16_384
const NAMES = Array.from({ length: 12 }, (_, i) => `name ${i}`)

requireProgram(SERVER_PROGRAMS, (program) => {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-cluster-'))
  const nodes: PrivateServer[] = []
  const clients: { ioredis?: Cluster; nodeRedis?: ReturnType<typeof createCluster> } = {}
  let prefixes = 0

  beforeAll(async () => {
    for (const i of [0, 1]) {
      const options = ['--cluster-enabled', 'yes', '--cluster-config-file', `node-${i}.conf`, '--dir', folder]
      const node = new PrivateServer(program, await freePort(), options)
      await node.start()
      nodes.push(node)
      const slots = Array.from({ length: SLOTS / 2 }, (_, n) => n + (i * SLOTS) / 2)
      await node.command('CLUSTER', 'ADDSLOTS', ...slots)
    }
    const [one, two] = nodes as [PrivateServer, PrivateServer]
    await one.command('CLUSTER', 'MEET', '127.0.0.1', two.port)
    for (const node of nodes) {
      await until(async () => String(await node.command('CLUSTER', 'INFO')).includes('cluster_state:ok'))
    }
    clients.ioredis = new Cluster([{ host: '127.0.0.1', port: one.port }])
    clients.nodeRedis = createCluster({ rootNodes: [{ url: one.url }] })
    clients.nodeRedis.on('error', () => {})
    await clients.nodeRedis.connect()
  })

  afterAll(async () => {
    clients.ioredis?.disconnect()
    clients.nodeRedis?.destroy()
    for (const node of nodes) await node.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  describe.each(['ioredis', 'nodeRedis'] as const)('%s', (library) => {
    const clock = new FakeClock()
    const entry = (name: string, id: string, value: unknown) => ({
      ...entryOf(clock, id, value, { scope: 's', tags: ['t'] }),
      key: { name, id },
    })

    function join2(prefix: string): Tier {
      const tier = redis({ client: clients[library] as RedisClient, prefix })
      tier.attach?.({ clock, report: () => {} })
      onTestFinished(() => tier.close())
      return tier
    }

    it('names lie on both nodes, and are read, listed, counted and removed together', async () => {
      const prefix = `cluster-${prefixes++}`
      const [a, b] = [join2(prefix), join2(prefix)]
      await Promise.all(NAMES.flatMap((name) => ['x', 'y'].map((id) => a.put(entry(name, id, `${name} ${id}`)))))
      const counts = await Promise.all(nodes.map((node) => node.command('DBSIZE')))
      expect(Math.min(...counts.map(Number))).toBeGreaterThan(0)
      for (const name of NAMES) expect((await b.get({ name, id: 'y' }))?.value).toBe(`${name} y`)
      expect((await b.getMany?.(NAMES.map((name) => ({ name, id: 'x' }))))?.map((it) => it?.value)).toEqual(
        NAMES.map((name) => `${name} x`),
      )
      const listed: string[] = []
      for await (const { key } of b.keys({ kind: 'tag', tag: 't' })) listed.push(`${key.name} ${key.id}`)
      expect(listed.length).toBe(24)
      expect(await b.count({ kind: 'scope', scope: 's' })).toBe(24)
      const lease = await a.lease()
      expect(await b.remove({ kind: 'scope', scope: 's' })).toBe(24)
      for (const name of NAMES) {
        expect(await a.get({ name, id: 'x' })).toBeUndefined()
        expect(await a.put(entry(name, 'x', 'old'), lease)).toBe(false)
      }
    })

    it('what others change is heard on either node', async () => {
      const prefix = `cluster-${prefixes++}`
      const [a, b] = [join2(prefix), join2(prefix)]
      const heard: unknown[] = []
      a.feed?.listen((changed) => heard.push(changed))
      for (const name of NAMES) for (const tier of [a, b]) await tier.get({ name, id: 'x' })
      for (const name of NAMES) await b.put(entry(name, 'x', 1))
      await a.feed?.check()
      expect(heard.length).toBe(NAMES.length)
      expect(await a.sweep(clock.now(), 100)).toBe(0)
      expect(await a.claims?.acquire({ name: 'name 1', id: 'x' }, 'A', clock.now() + 1_000)).toBe(true)
      expect(await b.claims?.acquire({ name: 'name 1', id: 'x' }, 'B', clock.now() + 1_000)).toBe(false)
    })
  })
})
