import { join } from 'node:path'
import { createTidemark, memory, sqlite, untilInvalidated, type Resource, type Tidemark, type Tier } from 'tidemark'
import { expect, it } from 'vitest'
import { testFolder } from '../folder.ts'

const folder = testFolder()
let files = 0

function open(
  front: Tier,
  path = join(folder, `${files++}.db`),
): { tide: Tidemark; values: Resource<string, unknown> } {
  const tide = createTidemark({ tiers: [front, sqlite({ path })], coherence: 'strict' })
  const load = (): never => {
    throw new Error('nothing is loaded here')
  }
  return { tide, values: tide.resource<string, unknown>({ name: 'values', load, freshness: untilInvalidated() }) }
}

it('a set whose entry memory lost before it was committed is not followed by the older value', async () => {
  const { tide, values } = open(memory({ maxEntries: 2 }))
  await values.set('a', 1)
  const sets = [values.set('a', 2), values.set('b', 1), values.set('c', 1), values.set('d', 1)]
  await values.get('a')
  await Promise.all(sets)
  expect(await values.get('a')).toBe(2)
  await tide.close()
})

it('nor is one that memory could not take at all', async () => {
  const { tide, values } = open(memory({ maxBytes: 1000 }))
  await values.set('a', 'small')
  const set = values.set('a', 'x'.repeat(5000))
  await values.get('a')
  await set
  expect(await values.get('a')).toBe('x'.repeat(5000))
  await tide.close()
})

it('several caches on one file agree on every value once all sets resolved', async () => {
  const path = join(folder, `${files++}.db`)
  const caches = [open(memory(), path), open(memory(), path), open(memory(), path)]
  for (let round = 0; round < 400; round++) {
    const acts = Array.from({ length: 6 }, (_, i) => {
      const { values } = caches[(round + i * 7) % 3] as (typeof caches)[number]
      const key = `k${(round * 5 + i) % 2}`
      return i % 3 === 2 ? values.get(key).catch(() => {}) : values.set(key, `${round}.${i}`)
    })
    await Promise.all(acts)
    for (const key of ['k0', 'k1']) {
      const seen = await Promise.all(caches.map(({ values }) => values.get(key)))
      expect(new Set(seen).size, `round ${round}: ${seen.join(', ')}`).toBe(1)
    }
  }
  for (const { tide } of caches) await tide.close()
})
