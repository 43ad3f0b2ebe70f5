import type { ProxyPool } from '../pool/pool.ts'
import { parseProxy } from '../proxy/address.ts'
import type { ProxyInput, ProxyRecord } from '../proxy/record.ts'
import { jsonInputs, lineReader, type Format } from './format.ts'
import { LINE_BYTES_MAX, linesOf } from './lines.ts'
import { ReportWriter, type ImportReport } from './report.ts'

/** Options of {@link importProxies}. */
export interface ImportOptions {
  readonly format: Format
  /** The source of proxies that do not name one. Defaults to `import`. */
  readonly source?: string | undefined
  /** Called now and then with how many lines were read. */
  readonly onProgress?: ((lines: number) => void) | undefined
}

/** So many are stored at once: they share a transaction, and no more are held in memory. */
const BATCH = 500
const JSON_BYTES_MAX = 64 * 1024 * 1024
const PROGRESS_EVERY = 5000

/** Adds the proxies of a file, whatever is in it: what does not fit is counted with its line, and the rest is added. */
export async function importProxies(
  pool: ProxyPool,
  chunks: AsyncIterable<Uint8Array>,
  options: ImportOptions,
): Promise<ImportReport> {
  const writer = new ReportWriter()
  const began = pool.now
  // Within a batch; what came earlier lies in the pool, so that no file is too long to be remembered.
  const seen = new Set<string>()
  let batch: { readonly line: number; readonly input: ProxyInput }[] = []
  const flush = async (): Promise<void> => {
    const now = batch
    batch = []
    seen.clear()
    const isKnown = (known: ProxyRecord, { fetchedAt }: ProxyRecord): boolean =>
      known.fetchedAt === fetchedAt || Date.parse(known.fetchedAt) >= began
    await Promise.all(
      now.map(({ line, input }) =>
        pool.addUnless({ ...input, source: input.source ?? options.source ?? 'import' }, isKnown).then(
          ({ outcome }) => void (outcome === 'added' ? writer.loaded++ : writer.skipped++),
          (error: unknown) => writer.fail(line, error),
        ),
      ),
    )
  }
  const take = async (line: number, read: () => ProxyInput | undefined): Promise<void> => {
    try {
      const input = read()
      const url = input && parseProxy(input.url).url
      if (!input || url === undefined || seen.has(url)) {
        writer.skipped++
        return
      }
      seen.add(url)
      batch.push({ line, input })
    } catch (error) {
      writer.fail(line, error)
    }
    if (batch.length >= BATCH) await flush()
  }

  if (options.format === 'json') {
    let line = 0
    for (const read of await wholeJson(chunks)) await take(++line, read)
  } else {
    const read = lineReader(options.format)
    for await (const { number, text } of linesOf(chunks)) {
      if (text === undefined) writer.fail(number, new Error(`The line is longer than ${LINE_BYTES_MAX} bytes.`))
      else await take(number, () => read(text))
      if (number % PROGRESS_EVERY === 0) options.onProgress?.(number)
    }
  }
  await flush()
  return writer.report
}

async function wholeJson(chunks: AsyncIterable<Uint8Array>): Promise<(() => ProxyInput)[]> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of chunks) {
    bytes += chunk.length
    if (bytes > JSON_BYTES_MAX)
      throw new RangeError(`A .json file may have ${JSON_BYTES_MAX} bytes; use .jsonl for more.`)
    parts.push(chunk)
  }
  return jsonInputs(
    Buffer.concat(parts)
      .toString('utf8')
      .replace(/^\uFEFF/, ''),
  )
}
