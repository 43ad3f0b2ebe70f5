import { join } from 'node:path'
import { it } from 'vitest'
import { sqlite } from 'tidemark'
import { testTier } from 'tidemark/testing'
import { testFolder } from '../folder.ts'

const folder = testFolder()
let files = 0

testTier('sqlite', () => sqlite({ path: join(folder, `${files++}.db`) }), { test: it })
testTier('sqlite in memory', () => sqlite({ path: ':memory:' }), { test: it })
