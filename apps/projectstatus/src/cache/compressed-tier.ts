import { deserialize, serialize } from 'node:v8'
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { Capabilities, ChangeFeed, Claims, Entry, Key, KeyInfo, Lease, Selector, Tier, TierHost } from 'tidemark'

/** Values of about this many bytes and more are compressed: below, they are read with plain SQL, and it would gain little. */
const LARGE_BYTES = 64 * 1024
/** Where the bytes of a compressed value lie. */
const MARK = '$zstd'

type TierReport = Parameters<TierHost['report']>[0]

/**
 * A tier around a tier, whose large values are compressed on their way in. Memory in front of it has them as they are.
 */
export class CompressedTier implements Tier {
  readonly name: string
  readonly capabilities: Capabilities
  readonly feed?: ChangeFeed
  readonly claims?: Claims
  readonly #tier: Tier
  #report: (news: TierReport) => void = () => {}

  constructor(tier: Tier) {
    this.#tier = tier
    this.name = tier.name
    this.capabilities = tier.capabilities
    if (tier.feed) this.feed = tier.feed
    if (tier.claims) this.claims = tier.claims
  }

  attach(host: TierHost): void {
    this.#report = (news) => host.report(news)
    this.#tier.attach?.(host)
  }

  get(key: Key): Entry | undefined | Promise<Entry | undefined> {
    const found = this.#tier.get(key)
    return found instanceof Promise ? found.then((entry) => this.#unpacked(entry)) : this.#unpacked(found)
  }

  lease(): Lease | Promise<Lease> {
    return this.#tier.lease()
  }

  put(entry: Entry, lease?: Lease): boolean | Promise<boolean> {
    return this.#tier.put(packed(entry), lease)
  }

  remove(selector: Selector, staleAt?: number): number | Promise<number> {
    return this.#tier.remove(selector, staleAt)
  }

  keys(selector: Selector): AsyncIterable<KeyInfo> {
    return this.#tier.keys(selector)
  }

  count(selector: Selector): number | Promise<number> {
    return this.#tier.count(selector)
  }

  sweep(now: number, limit: number): number | Promise<number> {
    return this.#tier.sweep(now, limit)
  }

  close(): void | Promise<void> {
    return this.#tier.close()
  }

  #unpacked(entry: Entry | undefined): Entry | undefined {
    if (entry === undefined || !isPacked(entry.value)) return entry
    try {
      return { ...entry, value: deserialize(zstdDecompressSync(entry.value[MARK])) as unknown }
    } catch (error) {
      // Its checksum was right: another version of Node wrote it. A miss, as with any value that cannot be read.
      this.#report({ kind: 'corrupt', key: entry.key, message: (error as Error).message })
      return undefined
    }
  }
}

interface Packed {
  readonly [MARK]: Uint8Array
}

function packed(entry: Entry): Entry {
  const { value } = entry
  if (!isPacked(value) && !isLarge(value)) return entry
  return { ...entry, value: { [MARK]: zstdCompressSync(serialize(value)) } satisfies Packed }
}

function isPacked(value: unknown): value is Packed {
  return typeof value === 'object' && value !== null && MARK in value && value[MARK] instanceof Uint8Array
}

/** A guess that stops when it is enough: encoding a value to learn its size would cost more than storing it. */
function isLarge(value: unknown): boolean {
  let left = LARGE_BYTES
  const weigh = (it: unknown): void => {
    if (typeof it === 'string') left -= it.length
    else if (it instanceof Uint8Array) left -= it.byteLength
    else if (typeof it !== 'object' || it === null) left -= 8
    else if (it instanceof Map || it instanceof Set || Array.isArray(it)) weighAll(it)
    else weighAll(Object.values(it))
  }
  const weighAll = (items: Iterable<unknown>): void => {
    for (const item of items) {
      if (left <= 0) return
      weigh(item)
    }
  }
  weigh(value)
  return left <= 0
}
