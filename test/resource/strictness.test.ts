import { createTidemark, isTidemarkError, memory, ttl } from 'tidemark'
import { expect, it } from 'vitest'

async function codeOf(run: () => unknown): Promise<string> {
  try {
    await run()
    return 'nothing'
  } catch (error) {
    return isTidemarkError(error) ? error.code : String(error)
  }
}

it('options of single calls that nothing reads are refused', async () => {
  await using tide = createTidemark({ tiers: [memory()] })
  const users = tide.resource({ name: 'users', load: (id: string) => id, freshness: ttl('1m') })
  const list = tide.collection<string, string>({ name: 'list', probe: () => ({ count: 0 }), load: () => [] })
  const entries = async (filter: object): Promise<void> => {
    for await (const entry of users.entries(filter)) expect(entry).toBeDefined()
  }
  const wrong = { scop: 'x' } as never
  const codes = await Promise.all(
    [
      () => users.count(wrong),
      () => entries(wrong),
      () => list.count(wrong),
      () => users.stored('a', { stael: true } as never),
      () => users.set('a', 'v', { loadedat: 5 } as never),
    ].map(codeOf),
  )
  expect(codes).toEqual(codes.map(() => 'unknown-option'))
  expect(await codeOf(() => users.set('a', 'v', { loadedAt: '5' as never }))).toBe('invalid-option')
  expect(await codeOf(() => users.set('a', 'v', null as never))).toBe('invalid-option')
  expect(await codeOf(() => tide.on('evnt' as never, () => {}))).toBe('invalid-option')
  expect(await codeOf(() => tide.on('event', undefined as never))).toBe('invalid-option')
})

it('a scope that is no text, or tags that are no list of texts, are refused: they could not be found again', async () => {
  await using tide = createTidemark({ tiers: [memory()] })
  const make = (name: string, more: object): Promise<string> => {
    const users = tide.resource({ name, load: (id: string) => id, freshness: ttl('1m'), ...more })
    return codeOf(() => users.get('a'))
  }
  expect(await make('a', { scope: () => 5 })).toBe('invalid-option')
  expect(await make('b', { tags: () => 'users' })).toBe('invalid-option')
  expect(await make('c', { tags: () => [5] })).toBe('invalid-option')
})
