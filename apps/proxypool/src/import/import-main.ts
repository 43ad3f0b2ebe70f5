// Imports into a running pool: npm run import -w apps/proxypool -- FILE|FOLDER [--to URL] [--source NAME] [--format FORMAT]; FORMAT: txt, csv, json, jsonl, sealed

import { createReadStream, statSync } from 'node:fs'
import { extname, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { parseArgs } from 'node:util'
import type { ProxyInput } from '../proxy/record.ts'
import { SEALED } from './format.ts'
import { migrateShards } from './legacy.ts'
import { ProgressLine } from './progress-line.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    to: { type: 'string', default: 'http://127.0.0.1:8230' },
    source: { type: 'string' },
    format: { type: 'string' },
  },
})
const SHOWN_MAX = 20
// npm runs this in the folder of the app, whoever asks from wherever.
const path = resolve(process.env['INIT_CWD'] ?? '.', positionals[0] ?? '')

try {
  if (positionals.length !== 1) throw new RangeError('Name one file, or one folder of shards.')
  const isFolder = statSync(path).isDirectory()
  const report = isFolder ? await importShards() : await importFile()
  console.log(JSON.stringify({ ...report, failures: undefined }))
  for (const failure of report.failures.slice(0, SHOWN_MAX)) console.log(JSON.stringify(failure))
} catch (error) {
  const { message, cause } = error as Error
  console.error(cause instanceof Error ? `${message}: ${cause.message}` : message)
  process.exitCode = 1
}

interface Report {
  readonly failures: readonly unknown[]
}

async function importFile(): Promise<Report> {
  const query = new URLSearchParams({ format: values.format ?? formatOf(path) })
  if (values.source !== undefined) query.set('source', values.source)
  const line = new ProgressLine(process.stderr, statSync(path).size)
  const file = createReadStream(path).on('data', (chunk) => line.add(chunk.length))
  const body = Readable.toWeb(file) as ReadableStream
  // Streamed: a file of any size is never in memory as a whole.
  const init: RequestInit & { duplex: 'half' } = { method: 'POST', body, duplex: 'half' }
  const report = await ask<Report>(`/import?${query.toString()}`, init)
  line.end()
  return report
}

/** An export goes by the name it was downloaded under. */
function formatOf(name: string): string {
  return name.endsWith('.sealed.jsonl') ? SEALED : extname(name).slice(1).toLowerCase() || 'txt'
}

/** The shards of the older program, proxy by proxy. */
function importShards(): Promise<Report> {
  const add = async (input: ProxyInput): Promise<string> => {
    const { ttlSeconds, fetchedAt, ...rest } = input
    const body = JSON.stringify({ ...rest, ttl_seconds: ttlSeconds, fetched_at: fetchedAt })
    return (await ask<{ key: string }>('/proxies', { method: 'POST', body })).key
  }
  return migrateShards({ add }, path)
}

async function ask<T>(route: string, init: RequestInit): Promise<T> {
  const response = await fetch(new URL(route, values.to), init)
  const answer = (await response.json()) as T & { error?: { message: string; hint?: string } }
  const { message = `The pool answered ${response.status}.`, hint = '' } = answer.error ?? {}
  if (!response.ok) throw new Error(`${message} ${hint}`.trim())
  return answer
}
