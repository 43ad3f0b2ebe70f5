import { closeSync, existsSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { TidemarkError } from '../../errors.ts'
import type { TierReport } from '../tier.ts'
import { isLeftover, isTemporary, writeNew, writeOver } from './atomic-file.ts'
import { baseId, isBase, numberOfId, segmentId } from './file-id.ts'
import { manifestOf, newManifest, manifestOfHeads, type Manifest } from './manifest.ts'

const MANIFEST = 'tidemark.json'
const RESERVE = 'reserve'
const DAMAGED = 'damaged.txt'
const LARGE = 'large'
const RESERVE_BYTES = 64 * 1024
const FILE = /^(segment|base)-(\d{8})\.jsonl$/
const CORRUPT = /\.corrupt-/

/** A file of entries in the folder. */
export interface ListedFile {
  readonly id: number
  readonly path: string
}

/** The folder: what its names mean, how it is told from another program's, how it is made. */
export class Folder {
  readonly path: string
  report: (news: TierReport) => void = () => {}
  /** Nothing is made, moved or removed. */
  readOnly = false

  constructor(path: string) {
    this.path = path
  }

  /** Where lines that were skipped are kept. */
  get damagedPath(): string {
    return join(this.path, DAMAGED)
  }

  /** What the files of large values are named after. */
  get largePath(): string {
    return join(this.path, LARGE)
  }

  segmentPath(number: number): string {
    return join(this.path, `segment-${String(number).padStart(8, '0')}.jsonl`)
  }

  basePath(number: number): string {
    return join(this.path, `base-${String(number).padStart(8, '0')}.jsonl`)
  }

  /**
   * Makes the folder if it is missing and says what it is. Errors: `tier-foreign`, `tier-newer`; nothing is touched then.
   * Where nothing may be made, `tier-unavailable` for a missing one and `tier-corrupt` for one without any head.
   */
  open(): Manifest {
    if (!this.readOnly) mkdirSync(this.path, { recursive: true, mode: 0o700 })
    else if (!existsSync(this.path)) throw missing(this.path)
    const names = readdirSync(this.path)
    const manifest = this.#read(names)
    if (manifest) return manifest
    this.#refuseForeign(names)
    return this.#make(names)
  }

  /** The files that count, in the order their lines do: the newest base, then the segments after it. */
  files(): ListedFile[] {
    const all = this.#settled()
    const base = all.findLast(({ id }) => isBase(id))?.id ?? 0
    const counting = all.filter(({ id }) => id >= base)
    // Whatever lay in a segment that is missing may have removed what lies before it.
    const gap = counting.findLastIndex(({ id }, i) => i > 0 && !follows((counting[i - 1] as ListedFile).id, id))
    return gap === -1 ? counting : counting.slice(gap)
  }

  /** True when a segment is settled in a base, so that its file is gone or about to be. */
  isSettled(segment: number): boolean {
    return this.#listed().some(({ id }) => isBase(id) && id > segmentId(segment))
  }

  /** Deletes files that are older than a base. */
  removeBelow(id: number): void {
    for (const file of this.#listed()) if (file.id < id) rmSync(file.path, { force: true })
  }

  /** Says that nothing is left of the segments up to this one; an empty file needs no space. Throws `EEXIST` when it was settled. */
  settleAsEmpty(segment: number): void {
    closeSync(openSync(this.basePath(segment), 'wx', 0o600))
    rmSync(`${this.largePath}.values`, { recursive: true, force: true })
  }

  /** Makes it a new folder. */
  removeAll(): void {
    if (this.readOnly) return
    for (const name of readdirSync(this.path))
      if (isOurs(name)) rmSync(join(this.path, name), { recursive: true, force: true })
  }

  remove(path: string): void {
    if (this.readOnly) return
    rmSync(path, { force: true })
  }

  /** Removes what a killed process left half written, and what a base has settled. */
  removeLeftovers(): void {
    const base = this.#listed().findLast(({ id }) => isBase(id))
    if (base) this.removeBelow(base.id)
    for (const name of readdirSync(this.path)) if (isLeftover(name)) rmSync(join(this.path, name), { force: true })
  }

  /** Sets some space aside, so that removals can still be written on a full disk. */
  keepReserve(): void {
    if (readdirSync(this.path).includes(RESERVE)) return
    try {
      writeNew(join(this.path, RESERVE), Buffer.alloc(RESERVE_BYTES, 'tidemark keeps this for when the disk is full\n'))
    } catch {
      // No space, or no right to write: whoever changes something will be told.
    }
  }

  useReserve(): void {
    rmSync(join(this.path, RESERVE), { force: true })
  }

  #read(names: readonly string[]): Manifest | undefined {
    if (!names.includes(MANIFEST)) return undefined
    const path = join(this.path, MANIFEST)
    const manifest = manifestOf(path)
    if (manifest) return manifest
    if (this.readOnly) {
      this.report({ kind: 'corrupt', key: undefined, message: `${path} is damaged` })
      return undefined
    }
    const aside = `${path}.corrupt-${timestamp()}`
    this.#keepOneAside()
    renameSync(path, aside)
    this.report({ kind: 'corrupt', key: undefined, message: `${path} was damaged and moved to ${aside}` })
    return undefined
  }

  #make(names: readonly string[]): Manifest {
    const files = this.#listed()
    const found = manifestOfHeads(files.map(({ path }) => path).toReversed())
    if (this.readOnly) return found ?? this.#refuse(names, files)
    // Without any head nothing can be found in the files.
    if (!found) this.#setAside(files)
    if (names.includes(MANIFEST)) writeOver(join(this.path, MANIFEST), text(found ?? newManifest()))
    else writeNew(join(this.path, MANIFEST), text(found ?? newManifest()))
    const manifest = manifestOf(join(this.path, MANIFEST))
    if (!manifest) throw new TidemarkError('tier-unavailable', `${join(this.path, MANIFEST)} cannot be read back.`)
    return manifest
  }

  #refuse(names: readonly string[], files: readonly ListedFile[]): never {
    const { path } = this
    const isEmpty = !names.includes(MANIFEST) && files.every((file) => statSync(file.path).size === 0)
    if (isEmpty) throw missing(path)
    throw new TidemarkError('tier-corrupt', `No file in ${path} has a head that can be read.`, {
      hint: 'The folder is damaged and was left as it is: restore it, or name another one.',
      data: { path },
    })
  }

  #setAside(files: readonly ListedFile[]): void {
    const filled = files.filter(({ path }) => statSync(path).size > 0)
    if (filled.length === 0) return
    const suffix = `.corrupt-${timestamp()}`
    this.#keepOneAside()
    for (const { path } of files) renameSync(path, `${path}${suffix}`)
    const message = `no file in ${this.path} has a head that can be read; they were moved to *${suffix}`
    this.report({ kind: 'corrupt', key: undefined, message })
    this.report({ kind: 'quarantined', reason: message })
  }

  #keepOneAside(): void {
    for (const name of readdirSync(this.path)) if (CORRUPT.test(name)) rmSync(join(this.path, name), { force: true })
  }

  #refuseForeign(names: readonly string[]): void {
    const foreign = names.find((name) => !name.startsWith('.') && !isOurs(name))
    if (foreign === undefined) return
    const { path } = this
    throw new TidemarkError(
      'tier-foreign',
      `${path} holds files of something else, such as ${JSON.stringify(foreign)}.`,
      {
        hint: 'Give the tier a folder of its own; nothing in this one was touched.',
        data: { path, foreign },
      },
    )
  }

  /** A list is no snapshot: while files come and go it can lack the new one and the old ones alike. */
  #settled(): ListedFile[] {
    for (let before = this.#listed(); ;) {
      const now = this.#listed()
      if (now.length === before.length && now.every(({ id }, i) => id === before[i]?.id)) return now
      before = now
    }
  }

  #listed(): ListedFile[] {
    const files = readdirSync(this.path).flatMap((name) => {
      const [, kind, number] = FILE.exec(name) ?? []
      if (number === undefined) return []
      return [{ id: (kind === 'base' ? baseId : segmentId)(Number(number)), path: join(this.path, name) }]
    })
    return files.toSorted((a, b) => a.id - b.id)
  }
}

function missing(path: string): TidemarkError {
  return new TidemarkError('tier-unavailable', `There is no cache in ${path}.`, {
    hint: 'Name the folder of a cache; none was made.',
    data: { path, isMissing: true },
  })
}

function follows(before: number, id: number): boolean {
  return !isBase(id) && numberOfId(id) - numberOfId(before) === 1
}

function isOurs(name: string): boolean {
  return (
    FILE.test(name) ||
    [MANIFEST, RESERVE, DAMAGED, `${LARGE}.values`].includes(name) ||
    isTemporary(name) ||
    CORRUPT.test(name)
  )
}

function text(manifest: Manifest): Buffer {
  return Buffer.from(`${JSON.stringify(manifest, undefined, 2)}\n`)
}

function timestamp(): string {
  return new Date().toISOString().replaceAll(/[:.]/g, '-')
}
