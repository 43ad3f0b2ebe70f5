import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase, type Database } from '@tidemark/database'
import type { SourceOptions, TidemarkEvent } from 'tidemark'
import { seed } from '../seed/seed.ts'
import { openService, type Service } from '../service.ts'
import { PrivatePostgres } from './private-postgres.ts'
import { TcpProxy } from './tcp-proxy.ts'

const QUERY_MS_MAX = 2_000

/** A seeded PostgreSQL, a proxy in front of it, and a service that knows it by the proxy only. */
export interface Stand extends AsyncDisposable {
  readonly postgres: PrivatePostgres
  readonly proxy: TcpProxy
  readonly service: Service
  readonly events: readonly TidemarkEvent[]
  /** The largest number of queries under way at a time since it was last asked. */
  mostQueries(): number
}

/** Starts all of it. `programs`: the folder of `initdb`. */
export async function openStand(programs: string, warmUp: SourceOptions['warmUp']): Promise<Stand> {
  await using cleanup = new AsyncDisposableStack()
  const postgres = cleanup.use(await PrivatePostgres.start(programs))
  const proxy = cleanup.use(new TcpProxy(postgres.port))
  await proxy.open()
  const schema = 'projectstatus'
  const url = (port: number): string => `postgres://postgres@127.0.0.1:${port}/postgres`
  {
    await using direct = await openDatabase({ schema, url: url(postgres.port) })
    await seed(direct)
  }
  const database = cleanup.use(await openDatabase({ schema, url: url(proxy.port), timeoutMs: QUERY_MS_MAX }))
  const queries = { running: 0, most: 0 }
  const folder = mkdtempSync(join(tmpdir(), 'projectstatus-show-'))
  cleanup.defer(() => rmSync(folder, { recursive: true, force: true }))
  const events: TidemarkEvent[] = []
  const service = cleanup.use(
    await openService({
      database: counted(database, queries),
      path: join(folder, 'cache.db'),
      warmUp,
      onEvent: (event) => {
        if (event.type === 'source-state' || event.type === 'warm-up') events.push(event)
      },
    }),
  )
  const all = cleanup.move()
  return {
    ...{ postgres, proxy, service, events },
    mostQueries: () => {
      const { most } = queries
      queries.most = queries.running
      return most
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

function counted(database: Database, queries: { running: number; most: number }): Database {
  const query: Database['query'] = async (text, values) => {
    queries.most = Math.max(queries.most, ++queries.running)
    try {
      return await database.query(text, values)
    } finally {
      queries.running--
    }
  }
  return { ...database, query }
}
