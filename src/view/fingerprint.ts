import { createHash, randomUUID } from 'node:crypto'
import { encodeValue, FORMAT } from '../codec/value.ts'
import { keepText, textOf } from './text.ts'

/** Tells what a snapshot holds from what another one does, in any process. Made at its first use, once. */
export class Fingerprint {
  readonly #valueOf: () => unknown
  #text: string | undefined

  constructor(valueOf: () => unknown) {
    this.#valueOf = valueOf
  }

  /** Letters, digits, `_` and `-`. Errors: what the application's function throws. */
  get text(): string {
    return (this.#text ??= hashOf(this.#valueOf()))
  }
}

function hashOf(value: unknown): string {
  return createHash('sha256').update(dataOf(value)).digest('base64url').slice(0, 16)
}

function dataOf(value: unknown): string | Uint8Array {
  try {
    const { format, data } = encodeValue(value)
    // Plain JSON is what a client will be sent.
    if (format === FORMAT.json) keepText(value, data)
    return data
  } catch {
    // What only says itself how it is written (`toJSON`), or not even that: then nobody else has the same.
    return jsonOf(value) ?? randomUUID()
  }
}

function jsonOf(value: unknown): string | undefined {
  try {
    return textOf(value)
  } catch {
    return undefined
  }
}
