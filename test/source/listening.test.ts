// Announcements save asking. They are a hint: what may have been missed is asked for.

import type { Client } from 'pg'
import { afterEach, expect, it } from 'vitest'
import { FakeClock } from 'tidemark/testing'
import {
  installRevisions,
  pgListen,
  pgRevision,
  type ListeningClient,
  type ListenSource,
  type PgListen,
  type PgRevision,
} from 'tidemark/postgres'
import { readRevisions } from '../../src/source/read-revisions.ts'
import { counted, eachClient, onPostgres, plainTables, type Database } from './postgres.ts'

const { signal } = new AbortController()
const open: PgListen[] = []
afterEach(() => Promise.all(open.splice(0).map((it) => it.close())))

/** A revision with a listener, and how often the database was asked for it. */
function listening(database: Database, source: ListenSource) {
  const clock = new FakeClock()
  const listen = pgListen(source, { pollEvery: '10s', clock })
  open.push(listen)
  const { client, asked } = counted(database.client)
  const revision: PgRevision = pgRevision(['topics'], { client, schema: database.own, listen })
  const tell = async () => readRevisions([revision], signal)
  /** How many times the database was asked by one read. */
  const costOf = async (): Promise<number> => {
    asked.length = 0
    await tell()
    return asked.length
  }
  return { clock, listen, tell, costOf }
}

async function installed(database: Database, notify = true): Promise<void> {
  await plainTables(database, 'topics')
  await installRevisions(database.client, { tables: ['topics'], notify, schema: database.own })
}

/** A connection that is only pretended. */
function pretended(query: () => Promise<unknown>): ListeningClient & { isEnded: boolean } {
  const client = {
    isEnded: false,
    query,
    on: () => client,
    end: async () => void (client.isEnded = true),
  }
  return client
}

/** Waits for what another process will do. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 5))
}

await eachClient((database) => {
  const sourceOf = (): ListenSource => {
    if ('listen' in database.client) return database.client as unknown as ListenSource
    return async () => (database as unknown as { connect: () => Promise<Client> }).connect()
  }

  it('nothing is asked while nothing is announced; a commit is', async () => {
    await installed(database)
    const { tell, costOf, listen, clock } = listening(database, sourceOf())
    await listen.ready
    const { revisions: before } = await tell()
    expect(await costOf()).toBe(0)
    await clock.advance('3s')
    expect(await tell()).toEqual({ revisions: before, ageMs: 3_000 })
    await database.run('begin; insert into topics values (1); rollback')
    await database.run('insert into topics values (1); insert into topics values (2)')
    await until(async () => (await costOf()) > 0)
    const after = await tell()
    expect(after.revisions).not.toEqual(before)
  })

  it('asks after pollEvery, whatever was heard', async () => {
    await installed(database)
    const { tell, costOf, listen, clock } = listening(database, sourceOf())
    await listen.ready
    await tell()
    await clock.advance(9_999)
    expect(await costOf()).toBe(0)
    await clock.advance(1)
    expect(await costOf()).toBe(1)
    expect(await costOf()).toBe(0)
  })

  it('asks every time for tables whose commits are not announced, also from when they no longer are', async () => {
    await installed(database, false)
    const silent = listening(database, sourceOf())
    await silent.listen.ready
    await silent.tell()
    expect([await silent.costOf(), await silent.costOf()]).toEqual([1, 1])
    await silent.listen.close()
    await installed(database)
    const { tell, costOf, listen, clock } = listening(database, sourceOf())
    await listen.ready
    await tell()
    expect(await costOf()).toBe(0)
    await installRevisions(database.client, { tables: ['topics'], notify: false, schema: database.own })
    await until(async () => {
      await clock.advance('10s')
      return (await costOf()) > 0 && (await costOf()) > 0
    })
    expect([await costOf(), await costOf()]).toEqual([1, 1])
  })

  it('asks every time once it is closed', async () => {
    await installed(database)
    const { tell, costOf, listen } = listening(database, sourceOf())
    await listen.ready
    await tell()
    await listen.close()
    expect([await costOf(), await costOf()]).toEqual([1, 1])
  })
})

await onPostgres((database) => {
  it('asks every time while the connection is down, and once more when it is back', async () => {
    await installed(database)
    let current: Client | undefined
    const { tell, costOf, listen, clock } = listening(database, async () => (current = await database.connect()))
    await listen.ready
    await tell()
    const { rows } = await (current as Client).query<{ pid: number }>('select pg_backend_pid() as pid')
    await database.run(`select pg_terminate_backend(${rows[0]?.pid})`)
    await until(() => !listen.isConnected)
    expect([await costOf(), await costOf()]).toEqual([1, 1])
    // Announced to nobody.
    await database.run('insert into topics values (1)')
    await clock.advance('1s')
    await until(() => listen.isConnected)
    expect([await costOf(), await costOf()]).toEqual([1, 0])
  })

  it('a database that cannot be reached is tried again and again, later each time', async () => {
    let attempts = 0
    const refused = async (): Promise<never> => {
      attempts++
      throw new Error('ECONNREFUSED')
    }
    const { costOf, listen, clock } = listening(database, refused)
    await installed(database)
    await listen.ready
    expect(attempts).toBe(1)
    await clock.advance('10s')
    expect(attempts).toBeGreaterThan(4)
    expect(attempts).toBeLessThan(16)
    await costOf()
    expect([await costOf(), await costOf()]).toEqual([1, 1])
    await listen.close()
    expect(clock.timers).toBe(0)
  })
})

it('a connection that refuses to listen is ended, and another one is made', async () => {
  const clock = new FakeClock()
  const made: { isEnded: boolean }[] = []
  const refuse = async (): Promise<never> => {
    throw Object.assign(new Error('cannot execute LISTEN during recovery'), { code: '25006' })
  }
  const source = async (): Promise<ListeningClient> => {
    const client = pretended(refuse)
    made.push(client)
    return client
  }
  const listen = pgListen(source, { clock })
  open.push(listen)
  await listen.ready
  await clock.advance('5s')
  expect(made.length).toBeGreaterThan(2)
  expect(made.map(({ isEnded }) => isEnded)).not.toContain(false)
  expect(listen.isConnected).toBe(false)
})

it('closing waits for no connection that is being made; it is ended when it comes', async () => {
  const never = pgListen(() => new Promise(() => {}))
  await never.close()
  const { promise, resolve } = Promise.withResolvers<ListeningClient>()
  const late = pgListen(() => promise)
  await late.close()
  let asked = 0
  const client = pretended(async () => void asked++)
  resolve(client)
  await late.ready
  expect([client.isEnded, asked, late.isConnected]).toEqual([true, 0, false])
  const asking = Promise.withResolvers<void>()
  const deaf = pretended(() => {
    asking.resolve()
    return new Promise(() => {})
  })
  const unanswered = pgListen(async () => deaf)
  await asking.promise
  await unanswered.close()
  expect(deaf.isEnded).toBe(true)
})
