// Access traces for the eviction simulator. They are third-party data and not part of the repository.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'

/** The keys of one trace, in the order they were asked for. */
export interface Trace {
  readonly name: string
  readonly keys: readonly string[]
}

type Format = 'int64' | 'int32' | 'lines'

const TRACES: readonly (readonly [string, string, Format])[] = [
  ['loop', 'loop.trace.gz', 'lines'],
  ['multi1', 'multi1.trace.gz', 'lines'],
  ['sprite', 'sprite.trace.gz', 'lines'],
  ['web12', 'web12.trace.gz', 'int32'],
  ['orm-busy', 'orm-busy.trace.gz', 'int32'],
  ['corda-vault', 'corda-vault.gz', 'int64'],
  ['scarab-recs', 'scarab-recs.trace.gz', 'int64'],
]

/** Longer traces are cut: the differences between policies show long before. */
const ACCESSES_MAX = 400_000

/** Where the traces lie: `TRACES_DIR`, or a folder `shared/traces` beside the checkout; `undefined` when there are none. */
export function tracesFolder(): string | undefined {
  const beside = fileURLToPath(new URL('../../../shared/traces', import.meta.url))
  const folder = process.env['TRACES_DIR'] ?? beside
  return existsSync(join(folder, 'loop.trace.gz')) ? folder : undefined
}

/** Reads every trace of a folder. */
export function readTraces(folder: string): Trace[] {
  return TRACES.filter(([, file]) => existsSync(join(folder, file))).map(([name, file, format]) => ({
    name,
    keys: parse(gunzipSync(readFileSync(join(folder, file))), format).slice(0, ACCESSES_MAX),
  }))
}

function parse(bytes: Buffer, format: Format): string[] {
  if (format === 'lines') {
    return bytes
      .toString('latin1')
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '' && line !== '*')
  }
  const size = format === 'int64' ? 8 : 4
  return Array.from({ length: Math.floor(bytes.byteLength / size) }, (_, i) =>
    format === 'int64' ? bytes.readBigInt64BE(i * size).toString() : bytes.readInt32BE(i * size).toString(),
  )
}
