import type { Context } from 'hono'
import { DEFAULT_BAUD, DEFAULT_TCP_PORT, makeConnKey, type Address } from '../cache/conn-key.ts'
import type { Permit } from '../fleet/permit.ts'
import type { ComplianceConfig } from '../unit/client.ts'
import { RequestError, badParameter } from './failure.ts'

/** The unit a request is about: `host` and `tcp_port`, or `port` and `baud`. Refuses what may not be dialled. */
export function unitOf(c: Context, permit: Permit): string {
  const { host, port } = c.req.query()
  if (host !== undefined && port !== undefined) throw badParameter('port', 'left out when `host` is given', port)
  if (host === undefined && port === undefined)
    throw badParameter('host', 'the address of a unit (or `port` a serial port)', host)
  const address: Address =
    host !== undefined
      ? { host: plain('host', host).toLowerCase(), tcpPort: whole(c, 'tcp_port', DEFAULT_TCP_PORT, 1, 65_535) }
      : { port: plain('port', port ?? ''), baud: whole(c, 'baud', DEFAULT_BAUD, 1, 4_000_000) }
  if (permit.allows(address)) return makeConnKey(address)
  throw new RequestError({
    status: 403,
    code: 'host-not-allowed',
    message: `${'host' in address ? address.host : address.port} may not be dialled from here.`,
    hint: 'Add it to ALLOW_HOSTS of the gateway.',
    parameter: 'host' in address ? 'host' : 'port',
  })
}

/** The event a path names. */
export function indexOf(c: Context): number {
  const index = c.req.param('index') ?? ''
  if (!/^\d{1,9}$/.test(index)) throw badParameter('index', 'a whole number from 0', index)
  return Number(index)
}

/** `?force=true`: ask the unit whatever is cached. */
export function isForced(c: Context): boolean {
  const force = c.req.query('force') ?? 'false'
  if (force !== 'true' && force !== 'false') throw badParameter('force', 'true or false', force)
  return force === 'true'
}

/** `Cache-Control: max-age` of the request: how many milliseconds ago the unit may have been asked. 0 where nothing is said. */
export function maxAgeMsOf(c: Context): number {
  const directives = c.req.header('cache-control')?.split(',') ?? []
  const [seconds] = directives.flatMap((it) => /^\s*max-age\s*=\s*"?(\d{1,9})"?\s*$/i.exec(it)?.[1] ?? [])
  return Number(seconds ?? 0) * 1000
}

const TEXT_MAX = 200
const CONFIG_FIELDS = {
  project: ['project', 'string'],
  client: ['client', 'string'],
  operator: ['operator', 'string'],
  location: ['location', 'string'],
  sample_rate: ['sampleRate', 'number'],
  record_seconds: ['recordSeconds', 'number'],
  trigger_level: ['triggerLevel', 'number'],
} as const

/** The settings a request wants to write. */
export async function configOf(c: Context): Promise<Partial<ComplianceConfig>> {
  const body: unknown = await c.req.json().catch(() => undefined)
  if (typeof body !== 'object' || body === null || Array.isArray(body) || Object.keys(body).length === 0) {
    throw badParameter('body', `a JSON object with some of ${Object.keys(CONFIG_FIELDS).join(', ')}`, undefined)
  }
  const config: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(body)) {
    const field = Object.hasOwn(CONFIG_FIELDS, name) ? CONFIG_FIELDS[name as keyof typeof CONFIG_FIELDS] : undefined
    if (!field) throw badParameter(name, `one of ${Object.keys(CONFIG_FIELDS).join(', ')}`, name)
    const fits =
      typeof value === field[1] && (typeof value === 'string' ? value.length <= TEXT_MAX : Number.isFinite(value))
    if (!fits)
      throw badParameter(
        name,
        `a ${field[1]}${field[1] === 'string' ? ` of up to ${TEXT_MAX} characters` : ''}`,
        JSON.stringify(value),
      )
    config[field[0]] = value
  }
  return config
}

/** Refuses control characters: what a request names ends up in keys, logs and pages. */
function plain(parameter: string, value: string): string {
  const isPlain =
    value !== '' &&
    value.length <= 253 &&
    !/[\p{Cc}\s/\\?#@]/u.test(parameter === 'port' ? value.replaceAll('/', '') : value)
  if (!isPlain) throw badParameter(parameter, parameter === 'host' ? 'a host name or address' : 'a serial port', value)
  return value
}

function whole(c: Context, parameter: string, fallback: number, from: number, to: number): number {
  const text = c.req.query(parameter)
  if (text === undefined) return fallback
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= from && value <= to)) throw badParameter(parameter, `a whole number from ${from} to ${to}`, text)
  return value
}
