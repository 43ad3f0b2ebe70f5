// What comes back from the cache is what PostgreSQL gave: types, precision, and nothing turned into text on the way.

import { openDatabase, type Database } from '@tidemark/database'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { requireService } from '../../../test/services.ts'
import { ProjectDatabase } from '../src/database/project-database.ts'
import { openPlace, type Place } from './place.ts'

const ID = '3f2504e0-4f89-41d3-9a0c-0305e82c3301'
const METADATA = {
  ...{ text: 'ü "quoted" \\ \n', nothing: null, yes: true, half: 0.5, tiny: 1e-9, large: 9_007_199_254_740_991 },
  ...{ list: [1, [2, { deep: '<!-- -->' }]], $: 'a name that the cache uses itself', '': 'empty' },
}

function keepsTypes(open: () => Promise<Database>): void {
  let database: Database
  let place: Place
  beforeAll(async () => {
    database = await open()
    const projects = new ProjectDatabase(database)
    await projects.ready()
    await database.query(
      `insert into vendor_extractors (id, name, status, extractor_version, metadata, created_at, created_by)
       values ($1, 'Acme', 'broken', '1.0', $2, '2026-03-29T00:59:59.999Z', 'tests')`,
      [ID, JSON.stringify(METADATA)],
    )
    await database.query(
      `insert into work_items (id, title, item_type, path, commit_hash, pr_number, created_by)
       values ($1, 'Item', 'task', '/', $2, 2147483647, 'tests')`,
      [ID, 'a'.repeat(40)],
    )
    await database.query(
      `insert into deployment_events (deployed_at, pr_number, pr_title, commit_hash, duration_seconds, artifact_bytes, created_by)
       values ('1969-12-31T23:59:59.001Z', 1, 'First', $1, 1234567.890, 9007199254740991, 'tests')`,
      ['b'.repeat(40)],
    )
    place = await openPlace({ database, isDemo: true })
  }, 120_000)
  afterAll(async () => {
    await place[Symbol.asyncDispose]()
    await database.query(`drop schema ${database.schema} cascade`)
    await database.close()
  })

  const outage = (kind: string): Promise<unknown> => place.ask('POST', '/demo/outage', { kind })

  it('UUIDs, timestamps, JSONB and numbers survive memory, the file, and a restart', async () => {
    const read = async () => {
      const { cache } = place.service
      const [vendor, item, deployments] = await Promise.all([
        cache.readVendor('acme'),
        cache.readWorkItem(ID),
        cache.readDeployments(),
      ])
      return { from: vendor.tier, vendor: vendor.value, item: item.value, deployment: deployments.value[0] }
    }
    const { from, ...live } = await read()
    expect(from).toBe('source')
    const cached = { from: expect.not.stringMatching('source') as string, ...live }
    expect(live.vendor).toMatchObject({ id: ID, metadata: METADATA, created_at: new Date('2026-03-29T00:59:59.999Z') })
    expect(live.item).toMatchObject({ pr_number: 2_147_483_647, deleted_at: null, description: null, depth: 0 })
    expect(live.deployment).toMatchObject({
      deployed_at: new Date('1969-12-31T23:59:59.001Z'),
      duration_seconds: '1234567.890',
      artifact_bytes: 9_007_199_254_740_991,
    })
    await outage('refuse')
    expect(await read()).toEqual(cached)
    await place.reopen()
    await outage('refuse')
    expect(await read()).toEqual(cached)
    await outage('none')
  })

  it('JSON that is written comes back as it is, whatever its kind', async () => {
    await expect.poll(() => place.service.cache.source.state, { timeout: 20_000 }).toBe('up')
    const metadata = { ...METADATA, written: [true, 'x', 1.5, null] }
    const { status, body } = await place.ask('PATCH', '/vendors/ACME', { expected_version: 1, metadata })
    expect(status).toBe(200)
    expect(body.vendor.metadata).toEqual(metadata)
    expect((await place.ask('GET', '/vendors/acme')).body.vendor.metadata).toEqual(metadata)
  })
}

describe('an embedded database', () => {
  keepsTypes(() => openDatabase({ schema: 'projectstatus' }))
})

await requireService('postgres', (url) => {
  describe('a server', () => {
    keepsTypes(() => openDatabase({ schema: `projectstatus_types_${process.pid}`, url }))
  })
})
