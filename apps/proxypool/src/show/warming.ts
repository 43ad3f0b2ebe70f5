import { join } from 'node:path'
import { createTidemark, jsonl, memory, sqlite, untilInvalidated } from 'tidemark'
import type { Keyring } from 'tidemark/seal'
import type { Board } from './board.ts'

const ROWS = 10_000
const AT_ONCE = 500
const TARGET_MS = 1_000

/** Ten thousand entries with sealed fields through three tiers, and back. */
export async function warming(folder: string, keyring: Keyring, board: Board): Promise<void> {
  await using tide = createTidemark({
    tiers: [
      memory({ maxEntries: ROWS }),
      jsonl({ path: join(folder, 'segments') }),
      sqlite({ path: join(folder, 'warm.db') }),
    ],
    keyring,
  })
  const proxies = tide.resource({
    name: 'proxies',
    load: (key: string) => ({ url: key, username: 'u', password: 'p' }),
    secrets: ['username', 'password'],
    freshness: untilInvalidated(),
  })
  const began = performance.now()
  for (let i = 0; i < ROWS; i += AT_ONCE) {
    await Promise.all(
      Array.from({ length: AT_ONCE }, (_, j) =>
        proxies.set(`p${i + j}`, { url: `http://10.0.0.1:${i + j}`, username: `u${i + j}`, password: `p${i + j}` }),
      ),
    )
  }
  const wrote = performance.now() - began
  const again = performance.now()
  const back = await proxies.getMany(Array.from({ length: ROWS }, (_, i) => `p${i}`))
  const read = performance.now() - again
  const isWhole = back.every((it, i) => it.password === `p${i}`)
  board.say(
    `${ROWS} entries with two sealed fields through memory, JSONL and SQLite`,
    `${wrote.toFixed(0)} ms (target < ${TARGET_MS}), read back in ${read.toFixed(0)} ms, all ${isWhole ? 'right' : 'NOT right'}`,
    wrote < TARGET_MS && isWhole,
  )
}
