import type { Database } from '@tidemark/database'
import { Hono } from 'hono'
import type { WriteHook } from 'tidemark'
import { RequestError } from './failure.ts'
import { PROGRESS, WRITABLE, checkId, fieldsOf, fieldsOfNew, type Writable } from './fields.ts'

/** Routes that write. The summary is told of each write after its commit, and before the client is. */
export function writeRoutes(database: Database, hook: WriteHook): Hono {
  const app = new Hono()

  /** A statement outside a transaction is committed when it is answered. */
  const write = async (table: string, text: string, values: readonly unknown[]): Promise<object | undefined> => {
    const [row] = await database.query(text, values).catch(async (error: unknown) => {
      if (!wasCutOff(error)) throw error
      await hook.committed([table])
      throw uncertain()
    })
    if (row) await hook.committed([table])
    return row
  }
  const insert = async ({ table }: Writable, fields: ReadonlyMap<string, unknown>): Promise<object | undefined> => {
    const names = [...fields.keys()]
    const places = names.map((_, i) => `$${i + 1}`)
    const text = `insert into ${table} (${names.join(', ')}) values (${places.join(', ')}) returning *`
    return write(table, text, [...fields.values()])
  }

  for (const [path, writable] of Object.entries(WRITABLE)) {
    const { table } = writable
    app.post(`/${path}`, async (c) => c.json(await insert(writable, fieldsOfNew(writable, await bodyOf(c.req))), 201))

    app.patch(`/${path}/:id`, async (c) => {
      const id = checkId(c.req.param('id'))
      const fields = fieldsOf(writable, await bodyOf(c.req))
      const sets = [...fields.keys()].map((name, i) => `${name} = $${i + 2}`)
      const text = `update ${table} set ${sets.join(', ')}, updated_at = now() where id = $1 returning *`
      const row = await write(table, text, [id, ...fields.values()])
      if (!row) throw noSuch(path, id)
      return c.json(row)
    })

    app.delete(`/${path}/:id`, async (c) => {
      const id = checkId(c.req.param('id'))
      if (!(await write(table, `delete from ${table} where id = $1 returning id`, [id]))) throw noSuch(path, id)
      return c.json({ deleted: id })
    })
  }

  app.post('/progress', async (c) => c.json(await insert(PROGRESS, fieldsOfNew(PROGRESS, await bodyOf(c.req))), 201))

  return app
}

function bodyOf(request: { json(): Promise<unknown> }): Promise<unknown> {
  return request.json().catch(() => undefined)
}

/** The connection broke, or nothing came back over it, after the statement was sent. */
function wasCutOff(error: unknown): boolean {
  const { code, message = '' } = error as { code?: string; message?: string }
  return code === 'ECONNRESET' || code === 'EPIPE' || /^(Query read timeout|Connection terminated)/.test(message)
}

function uncertain(): RequestError {
  return new RequestError({
    status: 503,
    code: 'write-uncertain',
    message: 'The database went away during the write: it may have been made or not.',
    hint: 'Read before you try again.',
  })
}

function noSuch(path: string, id: string): RequestError {
  return new RequestError({ status: 404, code: 'no-such-row', message: `There is no ${path}/${id}.` })
}
