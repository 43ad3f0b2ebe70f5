// Pools to export from and to import into.

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { memory, sqlite, type TidemarkOptions } from 'tidemark'
import { keyring, type Keyring } from 'tidemark/seal'
import { FakeClock } from 'tidemark/testing'
import { checkedLine, fieldsOf } from '../../src/tidemark/export-line.ts'
import { testFolder } from '../folder.ts'
import { listOf, pool, type Pool } from './stacks.ts'

const folder = testFolder()
let files = 0

export const [first, second]: readonly [Buffer, Buffer] = [randomBytes(32), randomBytes(32)]
export const ring: Keyring = keyring({ active: 'a', keys: { a: first } })

/** A file that is not there yet. */
export function newFile(): string {
  return join(folder, `${files++}.db`)
}

export function newTiers(): TidemarkOptions['tiers'] {
  return [memory(), sqlite({ path: newFile() })]
}

export function fresh(clock: FakeClock, keys: Keyring = ring): Pool {
  return pool({ tiers: newTiers(), keyring: keys, clock })
}

/** A pool of three proxies, and its export. */
export async function exported(
  clock: FakeClock = new FakeClock(),
): Promise<{ lines: string[]; from: Pool; clock: FakeClock }> {
  const from = fresh(clock)
  for (const key of ['a', 'b', 'c']) await from.proxies.get(key)
  return { lines: await listOf(from.tide.export()), from, clock }
}

/** A line with some of its fields changed, and a checksum that fits. */
export function changed(line: string | undefined, change: object): string {
  return checkedLine({ ...fieldsOf((line ?? '').trimEnd()), ...change })
}
