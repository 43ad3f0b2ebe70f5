import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import {
  createTidemark,
  jsonl,
  memory,
  sqlite,
  TidemarkError,
  untilInvalidated,
  type Resource,
  type Tidemark,
  type Tier,
} from 'tidemark'
import { expect, it } from 'vitest'
import { testFolder } from '../folder.ts'

const folder = testFolder()

function open(path: string, tier: Tier = sqlite({ path })): { tide: Tidemark; values: Resource<string, string> } {
  const tide = createTidemark({ tiers: [memory(), tier], coherence: 'strict' })
  const values = tide.resource({ name: 'values', load: () => 'loaded', freshness: untilInvalidated() })
  return { tide, values }
}

it.for(['deleted', 'set'] as const)(
  'a set that waited too long for the file is not replayed over what another process %s since',
  async (how) => {
    const path = join(folder, `${how}.db`)
    const [a, b] = [open(path), open(path)]
    await a.values.set('k', 'v0')
    const holder = new DatabaseSync(path)
    holder.exec('BEGIN IMMEDIATE')
    // Resolves when the file could not be had for 5 s: the change is journaled.
    await a.values.set('k', 'v1')
    holder.exec('COMMIT')
    holder.close()
    if (how === 'deleted') await b.values.delete('k')
    else await b.values.set('k', 'v2')
    await expect.poll(async () => (await a.tide.tiers())[1]?.journal.items, { timeout: 10_000 }).toBe(0)
    const expected = how === 'deleted' ? 'loaded' : 'v2'
    expect([await b.values.get('k'), await a.values.get('k')]).toEqual([expected, expected])
    await a.tide.close()
    await b.tide.close()
  },
)

it('one that was read while it was journaled leaves memory when another process overtook it', async () => {
  const path = join(folder, 'overtaken.db')
  const [a, b] = [open(path), open(path)]
  await a.values.set('k', 'v0')
  const holder = new DatabaseSync(path)
  holder.exec('BEGIN IMMEDIATE')
  await a.values.set('k', 'v1')
  holder.exec('COMMIT')
  holder.close()
  const changing = b.values.set('k', 'v2')
  // Whether it reads from the journal or after it: what it keeps is told to go.
  while ((await a.tide.tiers())[1]?.journal.items !== 0) {
    await a.values.get('k')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await changing
  expect([await b.values.get('k'), await a.values.get('k')]).toEqual(['v2', 'v2'])
  await a.tide.close()
  await b.tide.close()
})

it('one that nobody overtook is replayed', async () => {
  const path = join(folder, 'alone.db')
  const { tide, values } = open(path)
  await values.set('k', 'v0')
  const holder = new DatabaseSync(path)
  holder.exec('BEGIN IMMEDIATE')
  await values.set('k', 'v1')
  holder.exec('COMMIT')
  holder.close()
  await expect.poll(async () => (await tide.tiers())[1]?.journal.items, { timeout: 10_000 }).toBe(0)
  await tide.close()
  const again = open(path)
  expect(await again.values.get('k')).toBe('v1')
  await again.tide.close()
})

it('one that is replayed is told to the other processes: none goes on with what was before', async () => {
  const path = join(folder, 'told.db')
  const [a, b] = [open(path), open(path)]
  await a.values.set('k', 'v0')
  expect(await b.values.get('k')).toBe('v0')
  const holder = new DatabaseSync(path)
  holder.exec('BEGIN IMMEDIATE')
  await a.values.set('k', 'v1')
  holder.exec('COMMIT')
  holder.close()
  await expect.poll(async () => (await a.tide.tiers())[1]?.journal.items, { timeout: 10_000 }).toBe(0)
  expect([await b.values.get('k'), await a.values.get('k')]).toEqual(['v1', 'v1'])
  await a.tide.close()
  await b.tide.close()
})

it.for([
  { name: 'sqlite', make: (path: string) => sqlite({ path }) },
  { name: 'jsonl', make: (path: string) => jsonl({ path }) },
])('$name: one that found the disk full is not replayed over what another process set since', async (kind) => {
  const path = join(folder, `full-${kind.name}`)
  const inner = kind.make(path)
  let isFull = false
  const full: Tier = new Proxy(inner, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        if (isFull && name === 'put') throw new TidemarkError('tier-full', 'The disk is full.')
        return (value as (...args: unknown[]) => unknown).apply(target, args)
      }
    },
  })
  const [a, b] = [open(path, full), open(path, kind.make(path))]
  isFull = true
  await a.values.set('k', 'v1')
  await a.values.set('alone', 'v1')
  isFull = false
  // Of two sets of one millisecond nobody could say which came later.
  await new Promise((resolve) => setTimeout(resolve, 5))
  await b.values.set('k', 'v2')
  await expect.poll(async () => (await a.tide.tiers())[1]?.state, { timeout: 10_000 }).toBe('up')
  expect([await a.values.get('k'), await b.values.get('k')]).toEqual(['v2', 'v2'])
  expect([await a.values.get('alone'), await b.values.get('alone')]).toEqual(['v1', 'v1'])
  await a.tide.close()
  await b.tide.close()
})
