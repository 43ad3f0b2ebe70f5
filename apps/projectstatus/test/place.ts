import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase, type Database } from '@tidemark/database'
import { openService, type Service, type ServiceOptions } from '../src/service.ts'
import { seed } from '../src/seed/seed.ts'

const ORIGIN = 'http://127.0.0.1:8220'

/** An answer, with its body read. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any
}

/** A service over a database of its own, inside the process unless one is given. */
export interface Place extends AsyncDisposable {
  readonly service: Service
  readonly database: Database
  readonly path: string
  ask(method: string, path: string, body?: unknown): Promise<Answer>
  /** Opens the service again, over the same file and database. */
  reopen(): Promise<void>
}

/** Opens it. A service's own errors make the test fail when it is disposed of. */
export async function openPlace(
  options: Partial<ServiceOptions> & { readonly isSeeded?: boolean } = {},
): Promise<Place> {
  const { isSeeded = false, database: given, ...rest } = options
  await using cleanup = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), 'projectstatus-'))
  cleanup.defer(() => rmSync(folder, { recursive: true, force: true }))
  const database = given ?? cleanup.use(await openDatabase({ schema: 'projectstatus' }))
  if (isSeeded) await seed(database)
  const errors: unknown[] = []
  cleanup.defer(() => {
    if (errors.length > 0) throw new AggregateError(errors, 'The service failed.')
  })
  const path = join(folder, 'cache.db')
  const open = (): Promise<Service> => openService({ path, onError: (error) => errors.push(error), ...rest, database })
  let service = await open()
  cleanup.defer(() => service.close())
  const all = cleanup.move()
  return {
    get service() {
      return service
    },
    database,
    path,
    ask: async (method, at, body) => {
      const init: RequestInit = { method }
      if (body !== undefined) init.body = typeof body === 'string' ? body : JSON.stringify(body)
      const response = await service.fetch(new Request(`${ORIGIN}${at}`, init))
      const text = await response.text()
      return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) }
    },
    reopen: async () => {
      await service.close()
      service = await open()
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}
