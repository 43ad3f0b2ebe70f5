// Imports a hostile file, and says what came of it and how much memory it took: hostile-main.ts WHICH DATA_DIR LINES

import { randomBytes } from 'node:crypto'
import { keyring } from 'tidemark/seal'
import { importProxies } from '../import/import.ts'
import type { ImportReport } from '../import/report.ts'
import { ProxyPool } from '../pool/pool.ts'

/** The files, by what is the matter with them. */
export type HostileFile = 'a line of 10 MB' | '64 MB of binary' | 'many lines'

/** What came of one. */
export interface HostileReport extends Omit<ImportReport, 'failures'> {
  readonly firstFailure: ImportReport['failures'][number] | undefined
  /** The most memory the process ever had, less what it had when the pool was open. */
  readonly growthMb: number
  /** How much more it had at the end than after the first tenth of its lines. */
  readonly laterMb: number
  readonly tookMs: number
}

const [which = '', dataDir = '', lineText] = process.argv.slice(2)
const lineCount = Number(lineText)
const CHUNK_BYTES = 64 * 1024
/** By then everything that is kept while an import goes on is there. */
const EARLY_LINES = 100_000

const FILES: Readonly<Record<HostileFile, () => AsyncGenerator<Uint8Array>>> = {
  'a line of 10 MB': async function* () {
    for (let i = 0; i < 160; i++) yield Buffer.alloc(CHUNK_BYTES, 'x')
    yield Buffer.from('\nhttp://10.0.0.1:3128\n')
  },
  '64 MB of binary': async function* () {
    // No letters in it: some would be the name of a host.
    for (let i = 0; i < 1_024; i++)
      yield randomBytes(CHUNK_BYTES).map((byte, at) => (at % 997 === 0 ? 10 : byte | 0x80))
  },
  // Half of them none, the others five thousand proxies again and again.
  'many lines': async function* () {
    for (let n = 0; n < lineCount; n += 1_000) {
      const lines = Array.from({ length: 1_000 }, (_, i) =>
        (n + i) % 2 === 0
          ? `no proxy ${n + i}`
          : `http://10.0.${(((n + i) >> 1) % 5_000) >> 8}.${(((n + i) >> 1) % 5_000) & 255}:3128`,
      )
      yield Buffer.from(`${lines.join('\n')}\n`)
    }
  },
}

const file = FILES[which as HostileFile]
const pool = new ProxyPool({
  dataDir,
  keyring: keyring({ active: 'show', keys: { show: randomBytes(32) } }),
  // Nothing is dialled: what matters here is the file.
  check: () => Promise.resolve({ ok: true }),
})
await pool.ready
const before = process.memoryUsage().rss
const began = performance.now()
let early = Number.POSITIVE_INFINITY
const onProgress = (lines: number): void => {
  if (lines >= EARLY_LINES) early = Math.min(early, process.memoryUsage().rss)
}
const { failures, ...counts } = await importProxies(pool, file(), { format: 'txt', onProgress })
const laterMb = Math.max(0, Math.round((process.memoryUsage().rss - early) / 1e6))
const tookMs = performance.now() - began
const growthMb = Math.max(0, Math.round((process.resourceUsage().maxRSS * 1024 - before) / 1e6))
await pool.close()
const report: HostileReport = { ...counts, firstFailure: failures[0], growthMb, laterMb, tookMs }
process.stdout.write(JSON.stringify(report))
