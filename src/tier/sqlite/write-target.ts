import type { Changes } from './changes.ts'
import type { Connection } from './connection.ts'
import type { Names } from './names.ts'

/** What a write works on. It adds the slots it changes to `touched`. */
export interface WriteTarget {
  readonly connection: Connection
  readonly names: Names
  readonly changes: Changes
  readonly touched: number[]
}

/** Notes inside a transaction that a slot changes with it. */
export function touch(slot: number, target: WriteTarget): void {
  target.changes.touch(slot)
  target.touched.push(slot)
}
