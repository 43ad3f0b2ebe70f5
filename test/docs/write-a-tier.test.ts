// The tier that the guide shows keeps the contract it explains.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { it } from 'vitest'
import type { Tier } from 'tidemark'
import { testTier } from 'tidemark/testing'
import { testFolder } from '../folder.ts'
import { runnable } from './compiled.ts'
import { snippetsOf } from './pages.ts'

const shown = snippetsOf('docs/write-a-tier.md')[0]?.code ?? ''
const folder = join(testFolder(), 'tier')
mkdirSync(folder)
writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
writeFileSync(join(folder, 'bytes.ts'), `${runnable(shown)}\nexport { bytesTier }\n`)
const { bytesTier } = (await import(pathToFileURL(join(folder, 'bytes.ts')).href)) as { bytesTier: () => Tier }

testTier('the tier of docs/write-a-tier.md', () => bytesTier(), { test: it })
