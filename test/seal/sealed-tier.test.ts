// A tier behind a seal keeps the whole contract, with everything in it sealed; and what it cannot open fails nothing.

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { jsonl, memory, sqlite, type Entry, type Tier, type TierReport } from 'tidemark'
import { keyring } from 'tidemark/seal'
import { FakeClock, testTier } from 'tidemark/testing'
import { MESSAGES_MAX, type DerivedKey } from '../../src/seal/derived-key.ts'
import { SealedTier, sealedIfExposed } from '../../src/seal/sealed-tier.ts'
import { Sealer } from '../../src/seal/sealer.ts'
import type { Unopened } from '../../src/seal/unopened.ts'
import { entryOf } from '../../src/testing/tier-cases/case.ts'
import { testFolder } from '../folder.ts'

const folder = testFolder()
let places = 0
const ring = keyring({ active: 'a', keys: { a: randomBytes(32) } })

/** Every value of every name is a secret. */
class EverythingSealed extends Sealer {
  constructor() {
    super(ring, () => {})
  }

  override seal(entry: Entry, purpose: string): Entry {
    this.declare(entry.key.name, [[]])
    return super.seal(entry, purpose)
  }

  override open(entry: Entry, purpose: string): Entry | Unopened {
    this.declare(entry.key.name, [[]])
    return super.open(entry, purpose)
  }
}

const TIERS: Readonly<Record<string, () => Tier>> = {
  memory: () => memory(),
  sqlite: () => sqlite({ path: join(folder, `${places++}.db`) }),
  jsonl: () => jsonl({ path: join(folder, `${places++}`) }),
}

for (const [name, make] of Object.entries(TIERS)) {
  testTier(`sealed ${name}`, () => new SealedTier(make(), new EverythingSealed()), {
    test: it,
    maxValueBytes: 8 * 1024 * 1024,
  })
}

function attached(tier: Tier, clock = new FakeClock()): { tier: Tier; reports: TierReport[]; clock: FakeClock } {
  const reports: TierReport[] = []
  tier.attach?.({ clock, report: (news) => reports.push(news) })
  onTestFinished(async () => tier.close())
  return { tier, reports, clock }
}

describe('a seal', () => {
  it('stands before tiers that are persistent or shared, and before no other', () => {
    const sealer = new EverythingSealed()
    const [front, file, private_] = [memory(), TIERS['sqlite']?.() as Tier, sqlite({ path: ':memory:' })]
    expect(sealedIfExposed(front, sealer)).toBe(front)
    expect(sealedIfExposed(private_, sealer)).toBe(private_)
    expect(sealedIfExposed(file, sealer)).toBeInstanceOf(SealedTier)
    for (const capabilities of [
      { persistent: true, shared: false, sync: true },
      { persistent: false, shared: true, sync: false },
    ]) {
      const exposed = Object.assign(memory(), { capabilities })
      expect(sealedIfExposed(exposed, sealer)).toBeInstanceOf(SealedTier)
    }
  })

  it('is its tier in all else: name, capabilities, claims, news of others', () => {
    const file = TIERS['sqlite']?.() as Tier
    const sealed = new SealedTier(file, new EverythingSealed())
    expect(sealed).toMatchObject({ name: file.name, capabilities: file.capabilities })
    expect([sealed.feed, sealed.claims, sealed.getMany]).toEqual([file.feed, file.claims, undefined])
  })

  it('opens many at once as it opens one', async () => {
    const many: Tier = Object.assign(memory(), { getMany: undefined })
    const inner = attached(many)
    Object.assign(many, {
      getMany: (keys: Parameters<NonNullable<Tier['getMany']>>[0]) => keys.map((key) => many.get(key)),
    })
    const sealed = new SealedTier(many, new EverythingSealed())
    await sealed.put(entryOf(inner.clock, 'users', 'a', 'secret'))
    const found = await sealed.getMany?.([
      { name: 'users', id: 'a' },
      { name: 'users', id: 'b' },
    ])
    expect(found?.map((it) => it?.value)).toEqual(['secret', undefined])
    expect(JSON.stringify((await many.get({ name: 'users', id: 'a' }))?.value)).not.toContain('secret')
  })

  it('leaves the values of names without secrets as they are, the same object', async () => {
    const { tier, clock } = attached(memory())
    const sealed = new SealedTier(tier, new Sealer(ring, () => {}))
    const value = { password: 'not declared' }
    await sealed.put(entryOf(clock, 'plain', 'a', value))
    expect((await sealed.get({ name: 'plain', id: 'a' }))?.value).toBe(value)
  })

  it('that may seal no more keeps nothing: neither the new value nor the one before', async () => {
    const file = TIERS['sqlite']?.() as Tier
    const { tier: sealed, reports, clock } = attached(new SealedTier(file, new EverythingSealed()))
    await sealed.put(entryOf(clock, 'users', 'a', 'old'))
    const derived = ring.derived(ring.activeId, 'tier/sqlite', 'users') as DerivedKey
    const before = derived.sealed
    derived.sealed = MESSAGES_MAX
    onTestFinished(() => void (derived.sealed = before))
    expect(await sealed.put(entryOf(clock, 'users', 'a', 'new'))).toBe(true)
    expect(await file.get({ name: 'users', id: 'a' })).toBeUndefined()
    expect(reports).toEqual([
      expect.objectContaining({ kind: 'skipped', why: 'not-sealed', key: { name: 'users', id: 'a' } }),
    ])
  })

  it('what cannot be stored is the caller’s trouble, as without it', async () => {
    const { tier: sealed, clock } = attached(new SealedTier(TIERS['sqlite']?.() as Tier, new EverythingSealed()))
    const put = async (): Promise<unknown> => sealed.put(entryOf(clock, 'users', 'a', { f: () => 1 }))
    await expect(put()).rejects.toMatchObject({ code: 'invalid-value' })
  })
})
