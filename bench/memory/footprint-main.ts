// Holds entries in a fresh process and tells what that takes; see memory.ts.

import { itemOf, keyOf } from '../item.ts'
import { HOLDERS, type HolderName } from './holders.ts'
import type { FootprintReport } from './memory.ts'

const name = process.argv[2] as HolderName
const count = Number(process.argv[3])
// The code is loaded and the shapes are known before anything is measured.
const kept: unknown[] = [await HOLDERS[name]([keyOf(-1)], [itemOf(-1)])]
const empty = await usedBytes()
const keys = Array.from({ length: count }, (_, n) => keyOf(n))
const items = Array.from({ length: count }, (_, n) => itemOf(n))
const content = await usedBytes()
kept.push(await HOLDERS[name](keys, items))
const held = await usedBytes()
const report: FootprintReport = { contentBytes: (content - empty) / count, addedBytes: (held - content) / count }
if (kept.length !== 2 || items.length !== keys.length) throw new Error('Something measured is gone.')
process.send?.(report, () => process.exit())

async function usedBytes(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
