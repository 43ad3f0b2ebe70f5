import { join } from 'node:path'
import { createTidemark, memory, sqlite, untilInvalidated, type Resource, type Tidemark, type Tier } from 'tidemark'
import { chaos } from 'tidemark/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import { testFolder } from '../folder.ts'

const folder = testFolder()
let files = 0

interface Rig {
  readonly tide: Tidemark
  readonly users: Resource<string, string>
  readonly lower: ReturnType<typeof chaos>
  /** How often the source was asked. */
  readonly loads: string[]
}

/** Two persistent tiers; the lower one may be put in trouble. */
function open(name: string): Rig {
  const loads: string[] = []
  const lower = chaos(sqlite({ path: join(folder, `${name}-lower.db`) }))
  const tide = createTidemark({
    tiers: [memory(), sqlite({ path: join(folder, `${name}-upper.db`) }), { tier: lower, failureThreshold: 1 }],
  })
  const users = tide.resource({
    name: 'users',
    load: (key: string) => {
      loads.push(key)
      return `loaded ${key}`
    },
    scope: () => 'all',
    tags: (key) => [`tag ${key}`],
    freshness: untilInvalidated(),
    staleIfError: '1h',
  })
  return { tide, users, lower, loads }
}

/** Fills both tiers, takes the lower one down, changes something, ends; then begins anew with the lower tier alone in order. */
async function afterOutage(change: (rig: Rig) => Promise<unknown>): Promise<Rig> {
  const name = `notes-${files++}`
  const first = open(name)
  await Promise.all(['a', 'b', 'c'].map((key) => first.users.set(key, `old ${key}`)))
  first.lower.fail('put', {})
  first.lower.fail('remove', {})
  first.lower.fail('get', {})
  await change(first)
  await first.tide.close()
  return open(name)
}

describe('outage-journal-replay: a process that ends while a tier is down', () => {
  it.for([
    ['delete', ({ users }: Rig) => users.delete('a'), ['loaded a', 'old b', 'old c']],
    ['invalidate', ({ users }: Rig) => users.invalidate('a'), ['loaded a', 'old b', 'old c']],
    ['delete by tag', ({ tide }: Rig) => tide.deleteTag('tag a'), ['loaded a', 'old b', 'old c']],
    ['clear a scope', ({ tide }: Rig) => tide.scope('all').clear(), ['loaded a', 'loaded b', 'loaded c']],
    ['clear a name', ({ users }: Rig) => users.clear(), ['loaded a', 'loaded b', 'loaded c']],
    ['clear everything', ({ tide }: Rig) => tide.clear(), ['loaded a', 'loaded b', 'loaded c']],
  ] as const)('%s: nothing comes back from the tier that missed it', async ([, change, expected]) => {
    const { tide, users } = await afterOutage(change)
    expect(await users.getMany(['a', 'b', 'c'])).toEqual(expected)
    await tide.close()
  })

  it('a value set meanwhile is the one that is read', async () => {
    const { tide, users, loads } = await afterOutage((rig) => rig.users.set('a', 'new a'))
    expect([await users.get('a'), loads]).toEqual(['new a', []])
    await tide.close()
  })

  it('what was set is not written down: notes hold no values', async () => {
    const rig = await afterOutage(({ users }) => users.set('a', 'a-secret-in-a-note'))
    await rig.tide.close()
    const upper = inFile(`notes-${files - 1}-upper.db`)
    for await (const { key } of upper.keys({ kind: 'name', name: '#journal' })) {
      expect(JSON.stringify((await upper.get(key))?.value)).not.toContain('secret')
    }
  })
})

it('notes go when the tier has been told, and are never listed', async () => {
  const name = `notes-${files++}`
  const rig = open(name)
  await rig.users.set('a', 'old')
  rig.lower.fail('remove', { times: 1 })
  await rig.users.delete('a')
  await expect
    .poll(async () => (await rig.tide.tiers()).map(({ state }) => state), { timeout: 5000 })
    .toEqual(['up', 'up', 'up'])
  const upper = (await rig.tide.stats()).names
  expect(Object.keys(upper)).toEqual(['users'])
  await new Promise((resolve) => setTimeout(resolve, 1200))
  await rig.tide.close()
  const again = open(name)
  await again.users.set('a', 'new')
  expect(await again.users.get('a')).toBe('new')
  await again.tide.close()
  const last = open(name)
  expect([await last.users.get('a'), last.loads]).toEqual(['new', []])
  await last.tide.close()
})

describe('notes of several caches', () => {
  const FAILS = ['put', 'remove', 'get'] as const

  it('who is told takes away what was told, not what is written meanwhile', async () => {
    const name = `notes-${files++}`
    const troubled = open(name)
    for (const key of ['a', 'b']) await troubled.users.set(key, `old ${key}`)
    for (const operation of FAILS) troubled.lower.fail(operation)
    await troubled.users.delete('a')
    const calm = open(name)
    await calm.users.get('c')
    await troubled.users.delete('b')
    // By then it has swept.
    await new Promise((resolve) => setTimeout(resolve, 1_200))
    await calm.tide.close()
    await troubled.tide.close()
    const next = open(name)
    expect(await next.users.getMany(['a', 'b'])).toEqual(['loaded a', 'loaded b'])
    await next.tide.close()
  })

  it('what was told is not told again: a value set since stays, however short its process lives', async () => {
    const { users, tide } = await afterOutage((rig) => rig.users.delete('a'))
    await users.set('a', 'new')
    await tide.close()
    const next = open(`notes-${files - 1}`)
    expect([await next.users.get('a'), next.loads]).toEqual(['new', []])
    await next.tide.close()
    expect((await inFile(`notes-${files - 1}-lower.db`).get({ name: 'users', id: 'a' }))?.value).toBe('new')
  })

  it('a mark does not take the place of a removal', async () => {
    const { users, tide } = await afterOutage(async (rig) => {
      await rig.users.delete('a')
      await rig.users.invalidate('a')
    })
    expect(await users.stored('a', { stale: true })).toBeUndefined()
    await tide.close()
  })

  it('of a file are for that file alone, in a keeper that machines share', async () => {
    const keeper = memory({ maxEntries: 1_000 })
    const shared: Tier = {
      ...bound(keeper),
      name: 'shared',
      capabilities: { ...keeper.capabilities, persistent: true, shared: true, sync: false },
      close: () => {},
    }
    const machine = (file: string) => {
      const lower = chaos(sqlite({ path: join(folder, file) }))
      const tide = createTidemark({ tiers: [memory(), { tier: lower, failureThreshold: 1 }, shared] })
      const users = tide.resource({ name: 'users', load: () => 'loaded', freshness: untilInvalidated() })
      return { tide, users, lower }
    }
    const [a, b] = [`machine-a-${files++}.db`, `machine-b-${files++}.db`]
    for (const file of [a, b]) {
      const { users, tide } = machine(file)
      await users.set('k', 'old')
      await tide.close()
    }
    const troubled = machine(a)
    for (const operation of FAILS) troubled.lower.fail(operation)
    await troubled.users.delete('k')
    await troubled.tide.close()
    const other = machine(b)
    await other.users.get('z')
    await new Promise((resolve) => setTimeout(resolve, 1_200))
    await other.tide.close()
    const again = machine(a)
    expect(await again.users.get('k')).toBe('loaded')
    await again.tide.close()
  })
})

function bound(tier: Tier): Pick<Tier, 'get' | 'put' | 'lease' | 'remove' | 'keys' | 'count' | 'sweep'> {
  return {
    get: async (key) => tier.get(key),
    put: async (entry, lease) => tier.put(entry, lease),
    lease: async () => tier.lease(),
    remove: async (selector, staleAt) => tier.remove(selector, staleAt),
    keys: (selector) => tier.keys(selector),
    count: async (selector) => tier.count(selector),
    sweep: async (now, limit) => tier.sweep(now, limit),
  }
}

/** What lies in a file, with no cache around it. */
function inFile(file: string): Tier {
  const tier = sqlite({ path: join(folder, file) })
  tier.attach?.({
    clock: { now: Date.now, coarse: Date.now, schedule: () => () => {} },
    budgetMs: 100,
    report: () => {},
  })
  onTestFinished(() => tier.close())
  return tier
}
