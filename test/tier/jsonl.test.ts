import { join } from 'node:path'
import { it } from 'vitest'
import { jsonl } from 'tidemark'
import { testTier } from 'tidemark/testing'
import { testFolder } from '../folder.ts'

const folder = testFolder()
let folders = 0

testTier('jsonl', () => jsonl({ path: join(folder, `${folders++}`) }), { test: it })
testTier('jsonl, synced', () => jsonl({ path: join(folder, `${folders++}`), durability: 'power-loss' }), { test: it })
