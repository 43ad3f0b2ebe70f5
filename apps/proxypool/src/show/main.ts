// What the pool promises, with figures: npm run show -w apps/proxypool

import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keyring } from 'tidemark/seal'
import { Board } from './board.ts'
import { deadProxy, thousandChecks } from './checks.ts'
import { hostileImports } from './imports.ts'
import { million } from './million.ts'
import { jsonlAt } from './rows.ts'
import { warming } from './warming.ts'

const folder = mkdtempSync(join(tmpdir(), 'proxypool-show-'))
const keys = keyring({ active: 'show', keys: { show: randomBytes(32) } })
const board = new Board()

try {
  await warming(folder, keys, board)
  for (const rows of [5_000, 100_000]) await jsonlAt(rows, folder, board)
  await million(folder, board)
  await thousandChecks(folder, keys, board)
  await deadProxy(folder, keys, board)
  await hostileImports(folder, board)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
console.log(board.isMet ? '\nAll targets met.' : '\nNOT all targets met.')
process.exitCode = board.isMet ? 0 : 1
