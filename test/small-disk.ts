import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, onTestFinished } from 'vitest'

const REFUSED = 'A small file system needs to be mounted, which is refused here: run as root in a virtual machine.'

/**
 * Defines tests that need a {@link smallDisk}. Where nothing may be mounted they count as skipped, or, with
 * REQUIRE_SERVICES=1, fail.
 */
export function requireSmallDisks(define: () => void): void {
  const folder = newFolder()
  const canMount = mount(folder, 'size=1m')
  remove(folder)
  if (canMount) return define()
  describe('a small file system', () => {
    it(`may be mounted (${REFUSED})`, (context) => {
      if (process.env['REQUIRE_SERVICES'] === '1') throw new Error(REFUSED)
      console.warn(REFUSED)
      context.skip(REFUSED)
    })
  })
}

/** The folder of a file system with room for `size`, such as `400k`; gone with the test. */
export function smallDisk(
  size: string,
  { uid = 0, gid = 0 }: { readonly uid?: number; readonly gid?: number } = {},
): string {
  const folder = newFolder()
  onTestFinished(() => remove(folder))
  if (!mount(folder, `size=${size},mode=700,uid=${uid},gid=${gid}`)) throw new Error(REFUSED)
  return folder
}

/** Fills the disk a folder is on, to the last byte, with one file. Returns how to free it again. */
export function fillDisk(folder: string): () => void {
  const filler = join(folder, 'filler')
  const file = openSync(filler, 'w')
  for (const size of [65_536, 4_096, 512, 1]) {
    try {
      for (;;) writeSync(file, Buffer.alloc(size))
    } catch {
      // The next smaller piece.
    }
  }
  closeSync(file)
  return () => rmSync(filler)
}

function newFolder(): string {
  return mkdtempSync(join(tmpdir(), 'tidemark-small-'))
}

function mount(folder: string, options: string): boolean {
  return spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]).status === 0
}

function remove(folder: string): void {
  spawnSync('umount', ['-l', folder])
  rmSync(folder, { recursive: true, force: true })
}
