import { afterAll, beforeAll, describe } from 'vitest'
import type { Database } from '@tidemark/database'
import { requireService } from '../../../test/services.ts'
import { openHubDatabase, revisionSchema } from '../src/database/open.ts'
import { seed } from '../src/seed/seed.ts'
import { openService, type Service, type ServiceOptions } from '../src/service.ts'

/** When everything in a hub under test has happened before. */
export const NOW = Date.parse('2026-03-01T12:00:00Z')

/** Defines tests over a seeded hub on a real server, in a schema of its own. */
export async function onSeededServer(define: (database: () => Database) => void): Promise<void> {
  await requireService('postgres', (url) => {
    describe('PostgreSQL', () => {
      const schema = `statehub_${process.pid}_${Math.random().toString(36).slice(2, 8)}`
      let database: Database
      beforeAll(async () => {
        database = await openHubDatabase({ schema, url })
        await seed(database, { now: NOW })
      }, 60_000)
      afterAll(async () => {
        await database.query(`drop schema ${schema}, ${revisionSchema(schema)} cascade`)
        await database.close()
      })
      define(() => database)
    })
  })
}

/** What a client of the hub does. */
export interface HubClient extends AsyncDisposable {
  readonly service: Service
  readonly errors: unknown[]
  readonly get: (path: string, headers?: Readonly<Record<string, string>>) => Promise<Response>
  readonly send: (method: string, path: string, body?: unknown) => Promise<Response>
  /** With a body as it is, whatever it is. */
  readonly sendText: (method: string, path: string, body: string) => Promise<Response>
  /** The outcome of a read, and what it answered. */
  readonly read: (path?: string) => Promise<{ readonly outcome: string | null; readonly body: HubBody }>
}

/** A summary, as far as tests look at it. */
export interface HubBody {
  readonly generated_at: string
  readonly totals: Readonly<Record<string, Readonly<Record<string, number>>>>
  readonly recent_progress: readonly { readonly id: string; readonly summary: string }[]
  readonly progress_event_count: number
  readonly topics: readonly { readonly id: string; readonly title: string }[]
  readonly open_workplans: readonly Readonly<Record<string, unknown> & { readonly id: string; readonly slug: string }>[]
  readonly next_steps: readonly {
    readonly because: string
    readonly task: { readonly id: string; readonly title: string }
  }[]
  readonly blocking_decisions: readonly { readonly id: string }[]
  readonly waiting_tasks: readonly { readonly id: string }[]
  readonly licence_risk_count: number
}

/** Opens a service over a database, and a client of it. */
export async function clientOf(database: Database, options: Partial<ServiceOptions> = {}): Promise<HubClient> {
  const errors: unknown[] = []
  const service = await openService({ database, onError: (error) => errors.push(error), ...options })
  const ask = async (path: string, init?: RequestInit): Promise<Response> =>
    service.fetch(new Request(`http://localhost${path}`, init))
  return {
    service,
    errors,
    get: (path, headers = {}) => ask(path, { headers }),
    send: (method, path, body) => ask(path, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }),
    sendText: (method, path, body) => ask(path, { method, body }),
    read: async (path = '/state/summary') => {
      const response = await ask(path)
      return { outcome: response.headers.get('X-StateHub-Cache'), body: (await response.json()) as HubBody }
    },
    [Symbol.asyncDispose]: () => service.close(),
  }
}

/** Reads until nothing is being rebuilt behind the reader. */
export async function settled(client: HubClient): Promise<HubBody> {
  for (;;) {
    const { outcome, body } = await client.read()
    if (outcome === 'hit-revision') return body
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
