// Shards of the older program: shard_NN.jsonl, one proxy a line, credentials encrypted under a key of its own.

import { createReadStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { ProxyPool } from '../pool/pool.ts'
import type { ProxyInput } from '../proxy/record.ts'
import { linesOf } from './lines.ts'

/** What became of the rows of all shards. */
export interface LegacyReport {
  readonly migrated: number
  /** Expired ones, and keys that were met already: the newest copy is kept. */
  readonly skipped: number
  readonly failed: number
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

const SHARD = /^shard_\d+\.jsonl$/
const FAILURES_MAX = 1000

/** Takes over a folder of shards. The folder is only read. */
export async function migrateShards(
  pool: Pick<ProxyPool, 'add'>,
  folder: string,
  options: LegacyOptions = {},
): Promise<LegacyReport> {
  const { now = Date.now(), dryRun = false } = options
  const failures: { shard: string; line: number; reason: string }[] = []
  let [migrated, skipped, failed] = [0, 0, 0]
  // A key may be in several shards when their number was changed: the row fetched last is the one that counts.
  const newest = new Map<string, { readonly fetchedAt: number; readonly input: ProxyInput }>()
  for (const shard of (await readdir(folder)).filter((name) => SHARD.test(name)).toSorted()) {
    for await (const { number, text } of linesOf(createReadStream(join(folder, shard)))) {
      if (text?.trim() === '') continue
      try {
        const row = rowOf(text, options.decrypt)
        if (row.expiresAt <= now) skipped++
        else {
          const before = newest.get(row.input.url)
          if (before) skipped++
          if (!before || before.fetchedAt < row.fetchedAt) newest.set(row.input.url, row)
        }
      } catch (error) {
        failed++
        if (failures.length < FAILURES_MAX) failures.push({ shard, line: number, reason: (error as Error).message })
      }
    }
  }
  for (const [url, { input }] of newest) {
    try {
      if (!dryRun) await pool.add(input)
      migrated++
    } catch (error) {
      failed++
      failures.push({ shard: url, line: 0, reason: (error as Error).message })
    }
  }
  return { migrated, skipped, failed, failures }
}

function rowOf(
  text: string | undefined,
  decrypt: LegacyOptions['decrypt'],
): { readonly fetchedAt: number; readonly expiresAt: number; readonly input: ProxyInput } {
  if (text === undefined) throw new Error('The line is too long.')
  const row: unknown = JSON.parse(text)
  if (typeof row !== 'object' || row === null || Array.isArray(row)) throw new Error('Expected a JSON object.')
  const fields = row as Record<string, unknown>
  const url = fields['proxy_url']
  if (typeof url !== 'string') throw new Error('Expected `proxy_url` to be text.')
  const ttlSeconds = fields['ttl_seconds']
  const fetchedAt = zoned('fetch_time', fields['fetch_time'])
  return {
    fetchedAt: Date.parse(fetchedAt),
    expiresAt: Date.parse(zoned('expires_at', fields['expires_at'])),
    input: {
      url,
      source: typeof fields['source'] === 'string' ? fields['source'] : 'legacy',
      fetchedAt,
      ttlSeconds: typeof ttlSeconds === 'number' ? ttlSeconds : undefined,
      username: opened('username_encrypted', fields['username_encrypted'], decrypt),
      password: opened('password_encrypted', fields['password_encrypted'], decrypt),
    },
  }
}

function zoned(field: string, value: unknown): string {
  if (typeof value !== 'string' || !/(?:Z|[+-]\d\d:\d\d)$/.test(value) || Number.isNaN(Date.parse(value))) {
    throw new Error(`Expected \`${field}\` to be a time with its zone, got ${JSON.stringify(value)?.slice(0, 60)}.`)
  }
  return value
}

function opened(field: string, value: unknown, decrypt: LegacyOptions['decrypt']): string | undefined {
  if (value === undefined || value === null || value === '') return undefined
  if (!decrypt) throw new Error(`\`${field}\` is encrypted under the older program's key: give a decryptor.`)
  if (typeof value !== 'string' || !/^(?:[0-9a-f]{2})+$/i.test(value))
    throw new Error(`Expected \`${field}\` to be hex.`)
  return decrypt(Buffer.from(value, 'hex'))
}
