import { closeSync, fstatSync } from 'node:fs'
import { TidemarkError, isTidemarkError } from '../errors.ts'
import type { ArtifactName } from './catalog.ts'
import { openRegular, readAll, readAt } from './disk.ts'
import { sha256 } from './hash.ts'
import type { ArtifactInfo } from './sidecar.ts'
import type { Store } from './store.ts'

/** Part of a file in bytes: from `start`, 0 by default, to before `end`, by default its size. */
export interface ByteRange {
  readonly start?: number | undefined
  readonly end?: number | undefined
}

/** An artifact that was opened: its bytes were found to be those that were written. */
export interface ArtifactFile extends ArtifactInfo {
  readonly path: string
  /**
   * The bytes, or a part of them, read as they are asked for. Errors: `out-of-range`; `artifact-changed` when another
   * file has taken the place of the one that was opened.
   */
  stream(range?: ByteRange): Promise<ReadableStream<Uint8Array>>
  /** The same, all at once. */
  bytes(range?: ByteRange): Promise<Uint8Array>
}

const CHUNK_BYTES = 64 * 1024
const PROVED_MAX = 10_000

/** Opens the artifacts of a store. What was found sound is not read again until it changes. */
export class Opener {
  readonly #store: Store
  /** By path: which file it was that had which hash. Oldest first. */
  readonly #proved = new Map<string, string>()

  constructor(store: Store) {
    this.#store = store
  }

  /** `undefined` when there is none. Errors: `artifact-damaged`, `artifact-malformed`, `artifact-newer`, `artifact-unsafe`. */
  async open(name: ArtifactName): Promise<ArtifactFile | undefined> {
    const store = this.#store
    // Where nothing can be recovered, what is there can still be read.
    await store.ready().catch(() => {})
    let opened: ArtifactFile | undefined
    try {
      try {
        opened = await this.#look(name)
      } catch (error) {
        if (!isTidemarkError(error, 'artifact-damaged')) throw error
        // It may only be changing just now: as the only writer nobody is mistaken.
        opened = await store.locked(() => this.#look(name))
      }
    } catch (error) {
      store.report.failed(name, error)
      throw error
    }
    store.report.opened(opened !== undefined)
    return opened
  }

  async #look(name: ArtifactName): Promise<ArtifactFile | undefined> {
    const info = await this.#store.info(name)
    if (!info) return undefined
    const path = this.#store.folders.pathOf(name.folder, name.filename)
    const fd = openRegular(path)
    if (fd === undefined) throw damaged(name, 'it is missing')
    let stamp: string
    try {
      stamp = stampOf(fd)
      await this.#prove(name, path, fd, info, stamp)
    } finally {
      closeSync(fd)
    }
    return {
      ...info,
      path,
      stream: (range) => streamOf(name, path, info.size, stamp, range),
      bytes: async (range) =>
        new Uint8Array(await new Response(await streamOf(name, path, info.size, stamp, range)).arrayBuffer()),
    }
  }

  async #prove(name: ArtifactName, path: string, fd: number, info: ArtifactInfo, stamp: string): Promise<void> {
    const proof = `${stamp} ${info.sha256}`
    if (this.#proved.get(path) === proof) return
    const { size } = fstatSync(fd)
    if (size !== info.size) throw damaged(name, `it has ${size} bytes instead of ${info.size}`)
    const hash = (await sha256(await readAll(fd, size))).toString('hex')
    if (hash !== info.sha256) throw damaged(name, 'its hash is another one')
    this.#proved.delete(path)
    this.#proved.set(path, proof)
    const [oldest] = this.#proved.keys()
    if (this.#proved.size > PROVED_MAX && oldest !== undefined) this.#proved.delete(oldest)
  }
}

async function streamOf(
  name: ArtifactName,
  path: string,
  size: number,
  stamp: string,
  { start = 0, end: to = size }: ByteRange = {},
): Promise<ReadableStream<Uint8Array>> {
  const isRange = Number.isInteger(start) && Number.isInteger(to) && start >= 0 && start <= to && to <= size
  if (!isRange) {
    throw new TidemarkError('out-of-range', `Expected a range within 0 and ${size}, got ${start} to ${to}.`, {
      hint: 'Ask for bytes that exist: start, and end after it, up to the size.',
    })
  }
  // Told before anything was promised; opened again when the first byte is asked for, so that a stream nobody reads holds
  // no file open.
  closeSync(openSame(name, path, stamp))
  let fd: number | undefined
  let at = start
  const end = (): void => {
    if (fd !== undefined) closeSync(fd)
    fd = undefined
  }
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          fd ??= openSame(name, path, stamp)
          const chunk = new Uint8Array(Math.min(CHUNK_BYTES, to - at))
          const got = await readAt(fd, chunk, at)
          if (got === 0 && at < to) throw damaged(name, `it ended after ${at} bytes`)
          at += got
          if (got > 0) controller.enqueue(chunk.subarray(0, got))
          if (at < to) return
          end()
          controller.close()
        } catch (error) {
          end()
          throw error
        }
      },
      cancel: end,
    },
    { highWaterMark: 0 },
  )
}

/** Errors: `artifact-changed`. */
function openSame(name: ArtifactName, path: string, stamp: string): number {
  const fd = openRegular(path)
  if (fd !== undefined && stampOf(fd) === stamp) return fd
  if (fd !== undefined) closeSync(fd)
  throw new TidemarkError('artifact-changed', `${name.folder}/${name.filename} is another file by now.`, {
    data: { ...name },
  })
}

/** Tells one file from another that took its name, and from itself after a change. */
function stampOf(fd: number): string {
  const { ino, size, mtimeNs, ctimeNs } = fstatSync(fd, { bigint: true })
  return `${ino} ${size} ${mtimeNs} ${ctimeNs}`
}

/** The error for a file that is not what its sidecar says. */
export function damaged({ folder, filename }: ArtifactName, why: string): TidemarkError {
  return new TidemarkError('artifact-damaged', `${folder}/${filename} is not the file that was written: ${why}.`, {
    data: { folder, filename },
  })
}
