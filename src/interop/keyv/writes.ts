import type { Compression } from '../../codec/compression.ts'
import { AT_ONCE_BYTES_MAX } from '../../codec/packed.ts'
import { compressed, compressedLater } from '../../codec/stored.ts'
import type { Encoded } from '../../codec/value.ts'
import type { Entry } from '../../entry.ts'
import type { TierReport } from '../../tier/tier.ts'
import type { Directory, Row } from './directory.ts'
import type { Lanes } from './lanes.ts'
import { readable } from './loading.ts'
import type { KeyvTierSettings } from './options.ts'
import { recordText, valueText } from './record.ts'
import type { Storage } from './storage.ts'

/** What writing needs of the tier around it. */
export interface WritesParts {
  readonly settings: KeyvTierSettings
  readonly storage: Storage
  readonly directory: Directory
  readonly lanes: Lanes
  readonly now: () => number
  readonly report: (news: TierReport) => void
}

/** Brings to the store what the directory knows already; each resolves when the store has it, and rejects when it has not. */
export class Writes {
  readonly #parts: WritesParts

  constructor(parts: WritesParts) {
    this.#parts = parts
  }

  /** Stores the entry of a row. */
  store(row: Row, entry: Entry, plain: Encoded): Promise<void> {
    const { settings, directory, lanes } = this.#parts
    return lanes.run(row.at, async () => {
      const encoded = await packed(entry.value, plain, settings.compression)
      if (encoded !== plain) directory.measure(row, Buffer.byteLength(encoded.data))
      const { identity, revision } = entry
      const head = { info: row.info, stamp: row.stamp, identity, revision }
      await this.#set(row, recordText({ head, format: encoded.format, value: valueText(encoded) }))
    })
  }

  /** Stores the times of a row that was marked stale, beside the value that lies there. */
  mark(row: Row): Promise<void> {
    const { storage, lanes, report } = this.#parts
    return lanes.run(row.at, async () => {
      const record = readable(await storage.get(row.at), report)
      if (record?.head.stamp === row.stamp)
        await this.#set(row, recordText({ ...record, head: { ...record.head, info: row.info } }))
      row.isUnsaved = false
    })
  }

  /** The entry is gone from now on; resolves when it is gone from the store as well. */
  drop(row: Row): Promise<void> {
    const { storage, directory, lanes } = this.#parts
    directory.kill(row)
    return (row.leaving ??= lanes
      .run(row.at, () => storage.delete(row.at))
      .then(() => directory.forget(row))
      .finally(() => (row.leaving = undefined)))
  }

  /** The same, waited for by nobody. */
  dropBehind(row: Row): void {
    this.drop(row).catch((error: unknown) => this.#parts.report({ kind: 'failed', operation: 'remove', error }))
  }

  /** Drops what there is no room for. */
  makeRoom(): void {
    const { settings, directory, report } = this.#parts
    while (directory.entries > settings.maxEntries || directory.bytes > settings.maxBytes) {
      const row = directory.oldest()
      if (!row) return
      const { key } = row.info
      this.dropBehind(row)
      report({ kind: 'evicted', name: key.name, count: 1, cause: 'size', key })
    }
  }

  async #set(row: Row, text: string): Promise<void> {
    const leftMs = row.info.keepUntil - this.#parts.now()
    if (leftMs > 0) await this.#parts.storage.set(row.at, text, leftMs)
  }
}

function packed(value: unknown, plain: Encoded, compression: Compression | undefined): Encoded | Promise<Encoded> {
  if (plain.data.length <= AT_ONCE_BYTES_MAX) return compressed(value, plain, compression)
  return compressedLater(value, plain, compression)
}
