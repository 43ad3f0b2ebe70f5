import { timingSafeEqual } from 'node:crypto'
import { Hono, type Context } from 'hono'
import { stream } from 'hono/streaming'
import { FORMATS, SEALED, type Format } from '../import/format.ts'
import { importProxies } from '../import/import.ts'
import { importSealed } from '../import/sealed.ts'
import type { ProxyPool } from '../pool/pool.ts'
import { STRATEGIES, type Strategy } from '../pool/strategy.ts'
import type { ProxyInput } from '../proxy/record.ts'
import { RequestError } from './failure.ts'

const PAGE_MAX = 1000
const KEY = /^[0-9a-f]{16}$/
/** Of a proxy that is added. */
const FIELDS: readonly string[] = ['url', 'username', 'password', 'source', 'ttl_seconds', 'fetched_at', 'past']

/** The routes of the pool. `token`: who shows it gets credentials; without one nobody does. */
export function poolRoutes(pool: ProxyPool, token: string | undefined): Hono {
  const app = new Hono()

  app.post('/proxies', async (c) => {
    const fields = await objectOf(c, 'a JSON object with `url`')
    // Not by its name: what is in the wrong place may be a secret.
    if (Object.keys(fields).some((name) => !FIELDS.includes(name)))
      throw bad('body', `a JSON object with nothing but ${FIELDS.join(', ')}`)
    const { ttl_seconds: ttlSeconds, fetched_at: fetchedAt, ...rest } = fields
    const key = await pool.add({ ...rest, ttlSeconds, fetchedAt } as ProxyInput)
    return c.json({ key }, 201)
  })

  app.get('/proxies', async (c) => {
    const limit = whole(c, 'limit', 100, PAGE_MAX)
    const after = c.req.query('after')
    if (after !== undefined && !KEY.test(after)) throw bad('after', 'the `next` of the page before: 16 hex digits')
    const { keys, next } = await pool.page(limit, after)
    const proxies = await Promise.all(keys.map((key) => pool.view(key)))
    return c.json({ proxies: proxies.filter((it) => it !== undefined), next })
  })

  app.get('/proxies/next', async (c) => {
    const strategy = c.req.query('strategy') ?? 'round-robin'
    if (!(STRATEGIES as readonly string[]).includes(strategy)) throw bad('strategy', STRATEGIES.join(', '))
    const wantsCredentials = c.req.query('credentials') === 'true'
    if (wantsCredentials && !showsToken(c, token)) {
      throw new RequestError({
        status: 403,
        code: 'token-required',
        message: 'Credentials are given only to who shows the token.',
        hint: 'Set API_TOKEN of the service, and send it as `Authorization: Bearer …`.',
      })
    }
    const found = await pool.next(strategy as Strategy)
    if (!found) throw new RequestError({ status: 404, code: 'none-healthy', message: 'No proxy is healthy now.' })
    const { url, source, username, password } = found.proxy
    return c.json({ key: found.key, url, source, ...(wantsCredentials ? { username, password } : undefined) })
  })

  app.get('/proxies/:key', async (c) => {
    const view = await pool.view(keyOf(c))
    if (!view) throw noSuch(keyOf(c))
    return c.json(view)
  })

  app.delete('/proxies/:key', async (c) => {
    if (!(await pool.remove(keyOf(c)))) throw noSuch(keyOf(c))
    return c.json({ removed: 1 })
  })

  app.post('/proxies/:key/failure', async (c) => {
    const key = keyOf(c)
    const { error } = await objectOf(c, 'nothing, or a JSON object with `error`', {})
    if (error !== undefined && error !== null && typeof error !== 'string') throw bad('error', 'text')
    return c.json({ evicted: await pool.reportFailure(key, error ?? undefined) })
  })

  app.get('/proxies/:key/history', async (c) => c.json({ checks: await pool.history(keyOf(c)) }))

  app.get('/health', async (c) => {
    const { counts, isDegraded } = pool
    const tiers = (await pool.tide.tiers()).map(({ tier, state, reason }) => ({ tier, state, reason }))
    return c.json({ status: isDegraded ? 'degraded' : 'ok', proxies: counts, tiers })
  })

  app.get('/events', (c) => c.json({ events: pool.recentNews }))

  app.post('/import', async (c) => {
    const format = c.req.query('format') ?? 'txt'
    const body = c.req.raw.body ?? new Blob([]).stream()
    if (format === SEALED) return c.json(await importSealed(pool, body))
    if (!(FORMATS as readonly string[]).includes(format)) throw bad('format', [...FORMATS, SEALED].join(', '))
    return c.json(await importProxies(pool, body, { format: format as Format, source: c.req.query('source') }))
  })

  // Sealed: it can be read only with the keys it was sealed under.
  app.get('/export', (c) => {
    c.header('Content-Type', 'application/jsonl')
    c.header('Content-Disposition', 'attachment; filename="proxies.sealed.jsonl"')
    return stream(c, async (out) => {
      for await (const line of pool.tide.export()) await out.write(line)
    })
  })

  return app
}

function keyOf(c: Context): string {
  const key = c.req.param('key') ?? ''
  if (!KEY.test(key)) throw bad('key', '16 hex digits')
  return key
}

/** The fields of the body. `empty` is what an empty one stands for, where there may be one. */
async function objectOf(
  c: Context,
  expected: string,
  empty?: Readonly<Record<string, unknown>>,
): Promise<Readonly<Record<string, unknown>>> {
  const text = await c.req.text()
  if (empty && text.trim() === '') return empty
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    throw bad('body', expected)
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw bad('body', expected)
  return body as Record<string, unknown>
}

function showsToken(c: Context, token: string | undefined): boolean {
  const shown = Buffer.from(c.req.header('authorization') ?? '')
  const expected = Buffer.from(`Bearer ${token}`)
  return token !== undefined && shown.length === expected.length && timingSafeEqual(shown, expected)
}

function whole(c: Context, name: string, fallback: number, max: number): number {
  const text = c.req.query(name) ?? String(fallback)
  if (!/^\d{1,6}$/.test(text) || Number(text) < 1 || Number(text) > max)
    throw bad(name, `a whole number from 1 to ${max}`)
  return Number(text)
}

function bad(parameter: string, expected: string): RequestError {
  return new RequestError({
    status: 400,
    code: 'bad-parameter',
    message: `Expected \`${parameter}\` to be ${expected}.`,
  })
}

function noSuch(key: string): RequestError {
  return new RequestError({ status: 404, code: 'no-such-proxy', message: `There is no proxy ${key}.` })
}
