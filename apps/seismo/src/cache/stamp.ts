import type { Identity } from 'tidemark'
import type { Stamped } from './record.ts'

/**
 * Which physical event a record is about: (waveform key, time). A half that is not known is `undefined` and never
 * disagrees with anything.
 */
export function stampOf(record: Stamped): Identity {
  return [keyOf(record.waveform_key) ?? keyOf(record._waveform_key), timeOf(record.timestamp)]
}

function keyOf(key: unknown): string | undefined {
  if (key instanceof Uint8Array) return key.length === 0 ? undefined : Buffer.from(key).toString('hex')
  return typeof key === 'string' && key !== '' ? key.toLowerCase() : undefined
}

/** The same instant is the same stamp however it was written; a time without a zone stays the text it is. */
function timeOf(timestamp: unknown): string | undefined {
  if (typeof timestamp === 'object' && timestamp !== null) {
    const { iso, string } = timestamp as { iso?: unknown; string?: unknown }
    return timeOf(iso) ?? timeOf(string)
  }
  if (typeof timestamp !== 'string' || timestamp === '') return undefined
  const hasZone = /^\d{4}-\d\d-\d\dT.*(?:Z|[+-]\d\d:?\d\d)$/i.test(timestamp)
  const at = hasZone ? Date.parse(timestamp) : Number.NaN
  return Number.isNaN(at) ? timestamp : new Date(at).toISOString()
}
