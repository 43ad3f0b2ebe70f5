// Tables that are not there yet, made by several at once, of another version, or of another program.

import { Pool } from 'pg'
import { describe, expect, it, onTestFinished } from 'vitest'
import { isTidemarkError, type Tier } from 'tidemark'
import { postgres } from 'tidemark/postgres'
import { FakeClock } from 'tidemark/testing'
import { startPeer } from '../process/peer.ts'
import { postgresPlace } from '../process/place.ts'
import { requireService } from '../services.ts'
import { entryOf, memberOf } from '../tier/member.ts'
import { schemasOver } from './schemas.ts'

const KEY = { name: 'users', id: 'a' }
const clock = new FakeClock()
const codeOf = async (work: unknown): Promise<string> => {
  const error: unknown = await Promise.resolve(work).then(
    () => undefined,
    (it: unknown) => it,
  )
  return isTidemarkError(error) ? error.code : `no error of ours: ${String(error)}`
}

await requireService('postgres', (url) => {
  const { pool, next } = schemasOver(url)
  const run = async (sql: string): Promise<void> => void (await pool.query(sql))
  const open = (schema: string): Tier => memberOf(postgres({ client: pool, schema }), clock).tier

  it('eight processes that open for the first time together all get the same tables', { timeout: 60_000 }, async () => {
    const place = postgresPlace(url, next())
    const peers = await Promise.all(Array.from({ length: 8 }, () => startPeer(place)))
    await Promise.all(peers.map((peer, i) => peer.call('set', `k${i}`, i)))
    for (const [i, peer] of peers.entries()) expect(await peer.call('get', `k${7 - i}`)).toBe(7 - i)
    expect(peers.map((peer) => peer.loadCount)).toEqual(Array.from({ length: 8 }, () => 0))
  })

  it('many connections of one process as well', async () => {
    const schema = next()
    const pools = Array.from({ length: 8 }, () => new Pool({ connectionString: url, max: 2 }))
    onTestFinished(async () => void (await Promise.all(pools.map((it) => it.end()))))
    const tiers = pools.map((client) => memberOf(postgres({ client, schema }), clock).tier)
    await Promise.all(tiers.map((tier, i) => tier.put(entryOf(clock, `k${i}`, i))))
    for (const tier of tiers) expect(await tier.count({ kind: 'all' })).toBe(8)
  })

  it('a name of a schema that SQL would take for something else', async () => {
    const schema = 'user'
    onTestFinished(() => run('drop schema if exists "user" cascade'))
    const tier = open(schema)
    await tier.put(entryOf(clock, 'a', 1))
    expect((await tier.get(KEY))?.value).toBe(1)
  })

  it('tables of a newer version are left alone', async () => {
    const schema = next()
    await open(schema).put(entryOf(clock, 'a', 'kept'))
    await run(`insert into ${schema}.layout values (99)`)
    const tier = open(schema)
    expect(await codeOf(tier.get(KEY))).toBe('tier-newer')
    expect(await codeOf(tier.put(entryOf(clock, 'a', 'new')))).toBe('tier-newer')
    await run(`delete from ${schema}.layout where version = 99`)
    expect((await tier.get(KEY))?.value).toBe('kept')
  })

  it('a schema with the tables of another program is left alone', async () => {
    const schema = next()
    await run(`create schema ${schema}; create table ${schema}.entries (theirs text)`)
    expect(await codeOf(open(schema).put(entryOf(clock, 'a', 1)))).toBe('tier-foreign')
    const { rows } = await pool.query<{ n: string }>(
      `select count(*) as n from pg_class where relnamespace = '${schema}'::regnamespace`,
    )
    expect(Number(rows[0]?.n)).toBe(1)
  })

  it('a role that may not make a schema uses one that is there, and is told when there is none', async () => {
    const [mine, theirs] = [next(), next()]
    const role = `${mine}_role`
    await run(`create role ${role} login; create schema ${mine} authorization ${role}`)
    onTestFinished(() => run(`drop owned by ${role} cascade; drop role ${role}`))
    const at = new URL(url)
    at.username = role
    const client = new Pool({ connectionString: at.href, max: 2 })
    onTestFinished(() => client.end())
    const tier = memberOf(postgres({ client, schema: mine }), clock).tier
    await tier.put(entryOf(clock, 'a', 1))
    expect((await tier.get(KEY))?.value).toBe(1)
    const refused = memberOf(postgres({ client, schema: theirs }), clock).tier
    await expect(refused.get(KEY)).rejects.toMatchObject({
      code: 'tier-unavailable',
      hint: expect.stringContaining('rights'),
    })
  })

  describe('transactions that cannot see what was committed since they began', () => {
    it.for(['repeatable read', 'serializable'])('%s: nothing is stored, and it is said why', async (isolation) => {
      const schema = next()
      await open(schema).put(entryOf(clock, 'a', 'before'))
      const options = `-c default_transaction_isolation=${isolation.replace(' ', '\\ ')}`
      const client = new Pool({ connectionString: url, options, max: 2 })
      onTestFinished(() => client.end())
      const { tier } = memberOf(postgres({ client, schema }), clock)
      await expect(tier.put(entryOf(clock, 'a', 'after'))).rejects.toMatchObject({
        code: 'tier-unavailable',
        hint: expect.stringContaining('read committed'),
      })
      expect((await open(schema).get(KEY))?.value).toBe('before')
    })
  })
})
