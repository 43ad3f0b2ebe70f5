import { openDatabase, type Database } from '@tidemark/database'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { seed } from '../src/seed/seed.ts'
import { settingsFrom } from '../src/settings.ts'

let database: Database
beforeAll(async () => (database = await openDatabase({ schema: 'projectstatus' })), 120_000)
afterAll(() => database.close())

it('makes 45 vendors, four of five operational, 1 200 work items over five years, and 50 deployments; once', async () => {
  const seen: [number, number][] = []
  expect(await seed(database, (done, total) => seen.push([done, total]))).toEqual({
    vendors: 45,
    workItems: 1_200,
    deployments: 50,
  })
  expect(seen.at(-1)).toEqual([1_295, 1_295])
  expect(seen.length).toBeGreaterThan(5)
  expect(await seed(database)).toEqual({ vendors: 0, workItems: 0, deployments: 0 })
  const [counts] = await database.query(
    `select count(*) filter (where status = 'operational') as operational, count(distinct lower(name)) as names,
       (select max(depth) from work_items) as depth,
       (select count(*) from work_items c join work_items p on p.id = c.parent_id where c.depth = p.depth + 1
         and c.path = p.path || '/' || c.id and c.created_at > p.created_at) as children,
       (select count(*) from work_items where parent_id is not null) as with_parent,
       (select extract(days from max(created_at) - min(created_at)) / 365 from work_items)::float as years,
       (select count(distinct item_type) from work_items) as types
     from vendor_extractors`,
  )
  expect(counts).toMatchObject({ operational: 36, names: 45, depth: 5, types: 4 })
  expect(counts?.['children']).toBe(counts?.['with_parent'])
  expect(counts?.['years']).toBeCloseTo(5, 1)
})

it('the environment says where everything is', () => {
  expect(settingsFrom({})).toMatchObject({
    port: 8220,
    host: '127.0.0.1',
    cachePath: 'data/projectstatus.db',
    isDemo: false,
  })
  expect(settingsFrom({ DATA_DIR: '/srv', DEMO: '1', PUBLIC_HOSTS: 'a,b' })).toMatchObject({
    cachePath: '/srv/projectstatus.db',
    isDemo: true,
    publicHosts: ['a', 'b'],
    database: { schema: 'projectstatus', dataDir: '/srv/projectstatus.pglite' },
  })
  expect(() => settingsFrom({ DEMO: '2' })).toThrow('DEMO')
})
