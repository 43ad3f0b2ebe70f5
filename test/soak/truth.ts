import { openSync, readSync, writeSync, writeFileSync } from 'node:fs'

const SLOT_BYTES = 24
const FIELDS = { source: 0, resolved: 8, resolvedAt: 16 } as const

/** What the source says and what was changed, in a file that all processes of a soak test share: some numbers for each key. */
export class Truth {
  readonly #file: number

  constructor(path: string) {
    this.#file = openSync(path, 'r+')
  }

  /** A file for so many keys. */
  static make(path: string, keys: number): void {
    writeFileSync(path, Buffer.alloc(keys * SLOT_BYTES))
  }

  /** `source`: the version the source has; `resolved`: the version whose change has resolved; `resolvedAt`: when it did. */
  get(key: number, field: keyof typeof FIELDS): number {
    const bytes = Buffer.alloc(8)
    readSync(this.#file, bytes, 0, 8, key * SLOT_BYTES + FIELDS[field])
    return bytes.readDoubleLE(0)
  }

  set(key: number, field: keyof typeof FIELDS, value: number): void {
    const bytes = Buffer.alloc(8)
    bytes.writeDoubleLE(value)
    writeSync(this.#file, bytes, 0, 8, key * SLOT_BYTES + FIELDS[field])
  }
}

/** Milliseconds by a clock that all processes of a machine share and nobody sets. */
export function nowMs(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000
}
