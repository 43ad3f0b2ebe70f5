// What is handed to `postgres()`: the clients as they are, and nothing else; and what each option does.

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { PGlite } from '@electric-sql/pglite'
import { Client, Pool } from 'pg'
import type { Sql } from 'postgres'
import { describe, expect, expectTypeOf, it, onTestFinished } from 'vitest'
import { isTidemarkError } from 'tidemark'
import { postgres, type ListenSource, type PgClient, type PostgresOptions } from 'tidemark/postgres'
import { FakeClock } from 'tidemark/testing'
import { until } from '../tier/app.ts'
import { requireService } from '../services.ts'
import { entryOf, heardBy, memberOf, valueOf } from '../tier/member.ts'
import { schemasOver } from './schemas.ts'
import { groupsOver } from './tiers.ts'

it('takes clients as their packages type them', () => {
  expectTypeOf<Pool>().toExtend<PgClient>()
  expectTypeOf<Client>().toExtend<PgClient>()
  expectTypeOf<PGlite>().toExtend<PgClient>()
  expectTypeOf<Sql>().toExtend<PgClient>()
  expectTypeOf<Sql>().toExtend<ListenSource>()
  expectTypeOf<PGlite>().toExtend<ListenSource>()
  expectTypeOf<() => Promise<Client>>().toExtend<ListenSource>()
  expectTypeOf<Map<string, string>>().not.toExtend<PgClient>()
})

it('refuses what is no client, and options that are wrong or unknown', () => {
  const client = new Pool({ max: 1 })
  const wrong: readonly (readonly [string, unknown])[] = [
    ['invalid-option', { client: undefined }],
    ['invalid-option', { client: {} }],
    ['invalid-option', { client: 'postgres://127.0.0.1' }],
    ['invalid-option', { client, listen: client }],
    ['invalid-option', { client, listen: true }],
    ['invalid-option', { client, schema: '' }],
    ['invalid-option', { client, schema: 'a"b' }],
    ['invalid-option', { client, maxEntries: 0 }],
    ['invalid-option', { client, maxBytes: 1.5 }],
    ['invalid-option', { client, maxEntryBytes: 0 }],
    ['invalid-option', { client, maxEntryBytes: 1e12 }],
    ['unknown-option', { client, ttl: 5 }],
  ]
  for (const [code, options] of wrong) {
    let refusal: unknown
    try {
      postgres(options as PostgresOptions)
    } catch (error) {
      refusal = error
    }
    expect(isTidemarkError(refusal) && refusal.code, String(Object.keys(options as object))).toBe(code)
  }
  expect(postgres({ client, schema: undefined, listen: undefined }).name).toBe('postgres')
})

it('PGlite: the client brings the news as well', { timeout: 60_000 }, async () => {
  const client = await PGlite.create()
  onTestFinished(() => client.close())
  const clock = new FakeClock()
  const [a, b] = [memberOf(postgres({ client, listen: client }), clock), memberOf(postgres({ client }), clock)]
  const lease = await a.tier.lease()
  const stop = a.tier.feed?.poll()
  onTestFinished(() => stop?.())
  expect(await a.tier.put(entryOf(clock, 'a', { n: 1 }, { tags: ['t'] }), lease)).toBe(true)
  expect(await valueOf(b, 'a')).toEqual({ n: 1 })
  expect(await b.tier.remove({ kind: 'tag', tag: 't' })).toBe(1)
  await until(() => a.heard.length > 0)
  expect(await a.tier.put(entryOf(clock, 'a', 'old', { tags: ['t'] }), lease)).toBe(false)
})

await requireService('postgres', (url) => {
  const schemas = schemasOver(url)
  const newGroup = groupsOver(url, schemas)

  it('a single connection in place of a pool', async () => {
    const client = new Client({ connectionString: url })
    await client.connect()
    onTestFinished(() => client.end())
    const clock = new FakeClock()
    const { tier } = memberOf(postgres({ client, schema: schemas.next() }), clock)
    await Promise.all([1, 2, 3].map((n) => tier.put(entryOf(clock, 'a', n))))
    expect((await tier.get({ name: 'users', id: 'a' }))?.value).toBe(3)
  })

  it('a burst of sets takes a few round trips, and so do reads of one turn', async () => {
    const { clock, join, client } = newGroup()
    let asked = 0
    const query = (config: { text: string }) => {
      asked++
      return client.query(config)
    }
    const { tier } = join({ client: { query } })
    await tier.lease()
    asked = 0
    await Promise.all(Array.from({ length: 100 }, (_, i) => tier.put(entryOf(clock, `k${i}`, i))))
    expect(asked).toBeLessThanOrEqual(3)
    asked = 0
    const keys = Array.from({ length: 100 }, (_, i) => ({ name: 'users', id: `k${i}` }))
    expect((await tier.getMany?.(keys))?.map((it) => it?.value)).toEqual(keys.map((_, i) => i))
    expect(asked).toBe(1)
  })

  it('skips what is too large, and what it was to replace is gone', async () => {
    const { clock, join } = newGroup()
    const a = join({ maxEntryBytes: 100 })
    expect(await a.tier.put(entryOf(clock, 'a', 'x'.repeat(90)))).toBe(true)
    expect(await a.tier.put(entryOf(clock, 'a', 'x'.repeat(200)))).toBe(true)
    expect(a.reports).toMatchObject([{ kind: 'skipped', why: 'too-large', key: { name: 'users', id: 'a' } }])
    expect(await valueOf(a, 'a')).toBeUndefined()
  })

  it('compresses, and reads what is compressed without being told', async () => {
    const { clock, join, rows } = newGroup()
    const [a, b] = [join({ compress: 'zstd' }), join()]
    const text = 'tide '.repeat(40_000)
    await a.tier.put(entryOf(clock, 'a', text))
    expect(Number((await rows('select octet_length(frame) as bytes from $.entries'))[0]?.['bytes'])).toBeLessThan(
      20_000,
    )
    expect(await valueOf(b, 'a')).toBe(text)
  })

  describe('capacity', () => {
    it('maxEntries: the oldest leave, but one that was read since stays', async () => {
      const { clock, join } = newGroup()
      const a = join({ maxEntries: 100 })
      await a.tier.put(entryOf(clock, 'read', 'kept'))
      for (let i = 0; i < 300; i++) {
        await valueOf(a, 'read')
        await a.tier.put(entryOf(clock, `k${i}`, i))
      }
      await until(async () => (await a.tier.count({ kind: 'all' })) <= 105)
      expect(await valueOf(a, 'read')).toBe('kept')
      expect(await valueOf(a, 'k0')).toBeUndefined()
      expect(await valueOf(a, 'k299')).toBe(299)
      const evicted = a.reports.map((it) => (it.kind === 'evicted' && it.cause === 'size' ? it.count : 0))
      expect(evicted.reduce((sum, count) => sum + count, 0)).toBe(301 - (await a.tier.count({ kind: 'all' })))
    })

    it('maxBytes: by the size of encoded values; what was cleared leaves first', async () => {
      const { clock, join } = newGroup()
      const a = join({ maxBytes: 200_000 })
      await Promise.all(
        Array.from({ length: 30 }, (_, i) =>
          a.tier.put({ ...entryOf(clock, `k${i}`, 'x'.repeat(3_000)), key: { name: 'cleared', id: `k${i}` } }),
        ),
      )
      await a.tier.remove({ kind: 'name', name: 'cleared' })
      for (let i = 0; i < 60; i++) await a.tier.put(entryOf(clock, `k${i}`, 'x'.repeat(3_000)))
      expect(await a.tier.count({ kind: 'all' })).toBe(60)
      for (let i = 60; i < 120; i++) await a.tier.put(entryOf(clock, `k${i}`, 'x'.repeat(3_000)))
      await until(async () => (await a.tier.count({ kind: 'all' })) <= 70)
      expect(await valueOf(a, 'k119')).toHaveLength(3_000)
    })
  })

  it('an invalidation of more than 10 000 entries of a name clears it', async () => {
    const { clock, join, rows } = newGroup()
    const [a, b] = [join(), join()]
    await a.tier.put(entryOf(clock, 'a', 'v'))
    await rows(`insert into $.entries select kh + n, name_id, field || n, groups, born, loaded_at, fresh_until, keep_until,
      stale_at, stale_again, visited, value_at, frame from $.entries, generate_series(1, 10000) n`)
    expect(await a.tier.count({ kind: 'name', name: 'users' })).toBe(10_001)
    expect(await b.tier.remove({ kind: 'name', name: 'users' }, clock.now())).toBe(10_001)
    expect(await valueOf(a, 'a')).toBeUndefined()
    expect(await a.tier.count({ kind: 'all' })).toBe(0)
    for (let i = 0; i < 30; i++) await a.tier.sweep(clock.now(), 500)
    expect(await rows('select count(*) as n from $.entries')).toEqual([{ n: '0' }])
  })

  it('leaves the pool as it was when it is closed, and ends what it listened on', async () => {
    const { clock, join } = newGroup()
    const ended: Promise<void>[] = []
    const { tier } = join({
      listen: async () => {
        const client = new Client({ connectionString: url })
        ended.push(new Promise((resolve) => client.on('end', () => resolve())))
        await client.connect()
        return client
      },
    })
    const stop = tier.feed?.poll()
    await tier.put(entryOf(clock, 'a', 1))
    stop?.()
    await tier.close()
    await Promise.all(ended)
    expect((await schemas.pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })

  it('a process that ends its pool ends by itself', () => {
    const main = fileURLToPath(new URL('exit-main.ts', import.meta.url))
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, url, schemas.next()], {
      encoding: 'utf8',
      timeout: 20_000,
    })
    expect(stdout, stderr).toBe('value\n')
    expect(status).toBe(0)
  })

  it('slots of one key and of what it belongs to may be the same', async () => {
    const { clock, join } = newGroup()
    const [a, b] = [join(), join()]
    await a.tier.get({ name: 'users', id: 'any' })
    await b.tier.put(entryOf(clock, 'a', 1, { scope: 'users', tags: ['users', 'users'] }))
    await a.tier.feed?.check()
    expect(heardBy(a)).toHaveLength(1)
  })
})
