// A real PostgreSQL behind a proxy that refuses, resets and hangs.

import { Pool } from 'pg'
import { expect, it, onTestFinished } from 'vitest'
import { createTidemark, memory, sqlite, ttl, type Reading, type Resource, type Source } from 'tidemark'
import { onPostgres, type RealDatabase } from '../source/postgres.ts'
import { proxyTo, type Proxy } from './proxy.ts'

interface Vendor {
  readonly name: string
  readonly id: string
  readonly updated_at: Date
  readonly version: number
}

interface Hub {
  readonly vendors: Resource<string, Vendor | null>
  readonly source: Source
  readonly proxy: Proxy
  /** How many queries were under way at most. */
  readonly most: () => number
}

const NAMES = Array.from({ length: 20 }, (_, i) => `vendor-${i}`)

/** Vendors of a table, read through the proxy. */
async function open(database: RealDatabase): Promise<Hub> {
  await database.run('drop table if exists vendors')
  await database.run(`create table vendors (id uuid default gen_random_uuid(), name text unique, version int default 1,
    updated_at timestamptz default now())`)
  await database.run(`insert into vendors (name) values ${NAMES.map((name) => `('${name}')`).join(', ')}`)
  const { proxy, url } = await proxyTo(database.url)
  const pool = new Pool({ connectionString: url, options: `-c search_path=${database.schema}`, max: 10 })
  // A connection that breaks while it is idle says so here.
  pool.on('error', () => {})
  onTestFinished(() => pool.end())
  const tide = createTidemark({ tiers: [memory(), sqlite({ path: ':memory:' })] })
  onTestFinished(() => tide.close())
  const source = tide.source('projects', { warmUp: { perSecond: 200 } })
  const queries = { running: 0, most: 0 }
  const vendors = tide.resource<string, Vendor | null>({
    name: 'vendors',
    strategy: 'source-first',
    source,
    load: async (name) => {
      queries.most = Math.max(queries.most, ++queries.running)
      try {
        const { rows } = await pool.query<Vendor>('select * from vendors where lower(name) = lower($1)', [name])
        return rows[0] ?? null
      } finally {
        queries.running--
      }
    },
    key: (name) => name.toLowerCase(),
    freshness: ttl('30m'),
    version: (vendor) => vendor?.version ?? 0,
  })
  return { vendors, source, proxy, most: () => queries.most }
}

const read = async (vendors: Hub['vendors']): Promise<Reading<Vendor | null>> => vendors.read('vendor-1')

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5))
}

await onPostgres((database) => {
  it('values come back from the cache as the database gave them', async () => {
    const { vendors, proxy } = await open(database)
    const { value } = await read(vendors)
    await proxy.refuse()
    const cached = await read(vendors)
    expect(cached).toMatchObject({ state: 'stale', reason: 'source-unavailable', warning: 'cached' })
    expect(cached.value).toEqual(value)
    expect(cached.value?.updated_at).toBeInstanceOf(Date)
    expect(await failureOf(vendors.get('vendor-2'))).toMatchObject({ code: 'source-unavailable' })
    expect((await vendors.read('VENDOR-1')).value).toEqual(value)
  })

  it.for(['refuse', 'reset', 'hang'] as const)(
    '%s, and back: no read of a cached key fails, and the next ones are right',
    async (trouble) => {
      const { vendors, source, proxy } = await open(database)
      await Promise.all(NAMES.map((name) => vendors.get(name)))
      if (trouble === 'hang') proxy.hang()
      else if (trouble === 'refuse') await proxy.refuse()
      const reset = trouble === 'reset' ? setInterval(() => proxy.reset(), 1) : undefined
      onTestFinished(() => clearInterval(reset))
      const begun = performance.now()
      await until(() => (void read(vendors).catch(() => {}), source.isOpen))
      // The first slow one took the soft timeout; a connection that is refused takes nothing.
      expect(performance.now() - begun).toBeLessThan(2_000)
      for (const name of NAMES) {
        const reading = await vendors.read(name)
        expect(reading.reason).toBe('source-unavailable')
        expect(reading.value?.name).toBe(name)
      }
      clearInterval(reset)
      await database.run("update vendors set version = 2 where name = 'vendor-1'")
      await proxy.open()
      await until(() => !source.isOpen)
      await until(() => source.status.running === 0)
      const back = await vendors.get('vendor-1', { refresh: true })
      expect(back?.version).toBe(2)
      expect((await read(vendors)).reason).toBe('loaded')
    },
  )

  it('readers through refuse, hang, reset and back: cached keys are always answered, and on return no more than ten ask', async () => {
    const { vendors, source, proxy, most } = await open(database)
    await Promise.all(NAMES.map((name) => vendors.get(name)))
    const seen = new Set<string>()
    const state = { isOver: false }
    const reader = async (first: number): Promise<void> => {
      for (let i = first; !state.isOver; i++) {
        const { reason, value } = await vendors.read(NAMES[i % NAMES.length] as string)
        expect(value).not.toBeNull()
        seen.add(reason)
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    }
    const reading = Array.from({ length: 30 }, (_, i) => reader(i))
    await proxy.refuse()
    await until(() => source.isOpen)
    await proxy.open()
    proxy.hang()
    await until(() => seen.has('source-unavailable'))
    await proxy.open()
    proxy.reset()
    await until(() => !source.isOpen)
    seen.clear()
    await until(() => seen.has('loaded'))
    state.isOver = true
    await Promise.all(reading)
    expect(most()).toBeLessThanOrEqual(10)
  })

  it('a question that is wrong is no outage', async () => {
    const { vendors, source } = await open(database)
    await vendors.get('vendor-1')
    await database.run('alter table vendors rename to sellers')
    for (let i = 0; i < 5; i++) expect(await failureOf(read(vendors))).toMatchObject({ code: '42P01' })
    expect(source.isOpen).toBe(false)
    await database.run('drop table sellers')
  })
})

function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  )
}
