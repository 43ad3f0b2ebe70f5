// Shards of the older program: shard_NN.jsonl, one proxy a line, credentials encrypted under a key of its own.

import { createReadStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { ProxyPool } from '../pool/pool.ts'
import { PAST_FIELDS, pastOf } from '../proxy/past.ts'
import { ZONED, endOf, proxyRecord, type ProxyInput } from '../proxy/record.ts'
import { jsonOf } from './json.ts'
import { linesOf } from './lines.ts'

/** What became of the rows of all shards. */
export interface LegacyReport {
  readonly migrated: number
  /** Expired ones, and proxies that were met already: the newest copy is kept. */
  readonly skipped: number
  readonly failed: number
  /** The first failures. */
  readonly failures: readonly { readonly shard: string; readonly line: number; readonly reason: string }[]
}

/** Options of {@link migrateShards}. */
export interface LegacyOptions {
  /** Reads what the older program encrypted. Without one, rows with credentials fail, with a hint. */
  readonly decrypt?: ((ciphertext: Uint8Array) => string) | undefined
  /** Counts, and stores nothing. Defaults to `false`. */
  readonly dryRun?: boolean | undefined
  readonly now?: number | undefined
}

/** A row that can be added, and where it is. */
interface Row {
  readonly shard: string
  readonly line: number
  /** Normalised: what names a proxy. */
  readonly url: string
  readonly fetchedAt: number
  readonly endsAt: number
  readonly input: ProxyInput
}

const SHARD = /^shard_\d+\.jsonl$/
const FAILURES_MAX = 1000

/** Takes over a folder of shards: proxies, how often they were used, what was known of their health. The folder is only read. */
export async function migrateShards(
  pool: Pick<ProxyPool, 'add'>,
  folder: string,
  options: LegacyOptions = {},
): Promise<LegacyReport> {
  const { now = Date.now(), dryRun = false } = options
  const failures: { shard: string; line: number; reason: string }[] = []
  let [migrated, skipped, failed] = [0, 0, 0]
  const fail = (shard: string, line: number, error: unknown): void => {
    failed++
    if (failures.length < FAILURES_MAX) failures.push({ shard, line, reason: (error as Error).message })
  }
  // A key may be in several shards when their number was changed: the row fetched last is the one that counts.
  const newest = new Map<string, Row>()
  for (const shard of (await readdir(folder)).filter((name) => SHARD.test(name)).toSorted()) {
    for await (const { number, text } of linesOf(createReadStream(join(folder, shard)))) {
      if (text?.trim() === '') continue
      try {
        const row = rowOf(text, shard, number, now, options.decrypt)
        const before = newest.get(row.url)
        if (row.endsAt <= now || before) skipped++
        if (row.endsAt > now && (!before || before.fetchedAt < row.fetchedAt)) newest.set(row.url, row)
      } catch (error) {
        fail(shard, number, error)
      }
    }
  }
  for (const { shard, line, input } of newest.values()) {
    try {
      if (!dryRun) await pool.add(input)
      migrated++
    } catch (error) {
      fail(shard, line, error)
    }
  }
  return { migrated, skipped, failed, failures }
}

/** Everything that can be wrong with a row is found here, so that a dry run finds it too. */
function rowOf(
  text: string | undefined,
  shard: string,
  line: number,
  now: number,
  decrypt: LegacyOptions['decrypt'],
): Row {
  if (text === undefined) throw new Error('The line is too long.')
  const row = jsonOf(text)
  if (typeof row !== 'object' || row === null || Array.isArray(row)) throw new Error('Expected a JSON object.')
  const fields = row as Record<string, unknown>
  const url = fields['proxy_url']
  if (typeof url !== 'string') throw new Error('Expected `proxy_url` to be text.')
  const fetchedAt = zoned('fetch_time', fields['fetch_time'])
  const expiresAt = Date.parse(zoned('expires_at', fields['expires_at']))
  const past = Object.fromEntries(PAST_FIELDS.flatMap((name) => (name in fields ? [[name, fields[name]]] : [])))
  pastOf(past)
  const input = {
    url,
    source: (fields['source'] ?? 'legacy') as string,
    fetchedAt,
    // Not for ever where only the end is told.
    ttlSeconds: (fields['ttl_seconds'] ?? Math.max(1, (expiresAt - Date.parse(fetchedAt)) / 1000)) as number,
    username: opened('username_encrypted', fields['username_encrypted'], decrypt),
    password: opened('password_encrypted', fields['password_encrypted'], decrypt),
    past,
  }
  const record = proxyRecord(input, now, {})
  const endsAt = Math.min(expiresAt, endOf(record) ?? Number.POSITIVE_INFINITY)
  return { shard, line, url: record.url, fetchedAt: Date.parse(fetchedAt), endsAt, input }
}

function zoned(field: string, value: unknown): string {
  // Without what came: in a row whose fields are mixed up it may be a secret.
  if (typeof value !== 'string' || !ZONED.test(value) || Number.isNaN(Date.parse(value)))
    throw new Error(`Expected \`${field}\` to be a time with its zone, such as 2026-01-01T00:00:00Z.`)
  return value
}

function opened(field: string, value: unknown, decrypt: LegacyOptions['decrypt']): string | undefined {
  if (value === undefined || value === null || value === '') return undefined
  if (!decrypt) throw new Error(`\`${field}\` is encrypted under the older program's key: give a decryptor.`)
  if (typeof value !== 'string' || !/^(?:[0-9a-f]{2})+$/i.test(value))
    throw new Error(`Expected \`${field}\` to be hex.`)
  try {
    return decrypt(Buffer.from(value, 'hex'))
  } catch (cause) {
    // Its message is the decryptor's own, and may hold what it had in hand.
    throw new Error(`\`${field}\` could not be decrypted.`, { cause })
  }
}
