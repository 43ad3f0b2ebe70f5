import { TidemarkError } from '../../errors.ts'

const OBJECT_BYTES = 40
const SLOT_BYTES = 8

/**
 * About how many bytes a value takes in memory: strings two a character, numbers eight, a fixed cost for each object.
 * Only asked when a tier has a limit in bytes and no persistent tier has measured the value already.
 * Errors: `invalid-value` for a value that holds itself.
 */
export function sizeOf(value: unknown): number {
  try {
    return measure(value)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new TidemarkError('invalid-value', 'The value is circular, or nested too deeply, so it has no size.', {
      cause: error,
    })
  }
}

function measure(value: unknown): number {
  switch (typeof value) {
    case 'string':
      return SLOT_BYTES + value.length * 2
    case 'bigint':
      return SLOT_BYTES * 2
    case 'object':
      return value === null ? SLOT_BYTES : sizeOfObject(value)
    default:
      return SLOT_BYTES
  }
}

function sizeOfObject(value: object): number {
  if (ArrayBuffer.isView(value)) return OBJECT_BYTES + value.byteLength
  if (value instanceof ArrayBuffer) return OBJECT_BYTES + value.byteLength
  let bytes = OBJECT_BYTES
  if (Array.isArray(value)) {
    for (const item of value) bytes += measure(item)
  } else if (value instanceof Map) {
    for (const [key, item] of value) bytes += SLOT_BYTES + measure(key) + measure(item)
  } else if (value instanceof Set) {
    for (const item of value) bytes += SLOT_BYTES + measure(item)
  } else {
    for (const item of Object.values(value)) bytes += SLOT_BYTES + measure(item)
  }
  return bytes
}
