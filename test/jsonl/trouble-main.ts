// A process in trouble with its folder: no right to write, or no descriptors left. Prints what it saw as JSON.

import { closeSync, openSync } from 'node:fs'
import { createTidemark, jsonl, memory, untilInvalidated } from '../../src/index.ts'

const [trouble, path] = process.argv.slice(2) as ['read-only' | 'too-many-files', string]
const NOBODY = 65_534

// Root may write anywhere, so that is given up first.
if (trouble === 'read-only' && process.getuid?.() === 0) {
  process.setgid?.(NOBODY)
  process.setuid?.(NOBODY)
}
const held: number[] = []
const exhaust = (): void => {
  try {
    for (;;) held.push(openSync('/dev/null', 'r'))
  } catch {
    // None left.
  }
}
if (trouble === 'too-many-files') exhaust()

const states: string[] = []
const tide = createTidemark({ tiers: [memory(), jsonl({ path })] })
tide.on('event', (event) => {
  if (event.type === 'tier-state') states.push(event.state)
})
const users = tide.resource<string, string>({
  name: 'users',
  load: async () => 'LOADED',
  freshness: untilInvalidated(),
})
const values: string[] = []
for (let i = 0; i < 20; i++) {
  values.push(await users.get(`k${i % 10}`))
  await users.set('mine', 'LOADED')
}
for (const file of held) closeSync(file)
const final = (await tide.tiers()).at(-1)?.state
await tide.close()
console.log(JSON.stringify({ values, states, final }))
