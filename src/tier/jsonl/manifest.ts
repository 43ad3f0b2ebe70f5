import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { FORMAT_VERSION, refuseNewer } from './format.ts'
import { isIntact } from './line.ts'
import { parsedObject, type LogRecord } from './scan.ts'

/** What makes a folder ours. Written once; the names of the files say which of them count. */
export interface Manifest {
  readonly tidemark: 'jsonl'
  readonly format: number
  /** Tells this folder from one that took its place. */
  readonly uid: string
  /** What keys are hashed with. */
  readonly seed: number
  readonly createdAt: string
}

/** One for a new folder. */
export function newManifest(): Manifest {
  const [seed] = crypto.getRandomValues(new Uint32Array(1)) as unknown as [number]
  return manifest(crypto.randomUUID(), seed)
}

/** The manifest in a file; `undefined` when it is damaged. Errors: `tier-newer`. */
export function manifestOf(path: string): Manifest | undefined {
  const record = parsedObject(readFileSync(path, 'utf8'))
  if (record?.['tidemark'] !== 'jsonl') return undefined
  refuseNewer(record['format'], path)
  return isComplete(record) ? (record as unknown as Manifest) : undefined
}

/** A new manifest for files whose own was lost: their heads repeat what matters. */
export function manifestOfHeads(paths: readonly string[]): Manifest | undefined {
  for (const path of paths) {
    const head = headOf(path)
    if (head && isComplete(head)) return manifest(head['uid'] as string, head['seed'] as number)
  }
  return undefined
}

function manifest(uid: string, seed: number): Manifest {
  return { tidemark: 'jsonl', format: FORMAT_VERSION, uid, seed, createdAt: new Date().toISOString() }
}

function isComplete({ uid, seed, format }: LogRecord): boolean {
  return typeof uid === 'string' && typeof seed === 'number' && typeof format === 'number'
}

const HEAD_BYTES_MAX = 1_024

function headOf(path: string): LogRecord | undefined {
  const file = openSync(path, 'r')
  try {
    const buffer = Buffer.alloc(HEAD_BYTES_MAX)
    const size = buffer.subarray(0, readSync(file, buffer, 0, HEAD_BYTES_MAX, 0)).indexOf(10) + 1
    return isIntact(buffer, 0, size) ? parsedObject(buffer.toString('utf8', 0, size)) : undefined
  } finally {
    closeSync(file)
  }
}
