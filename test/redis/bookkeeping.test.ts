// What is kept beside the entries: it goes when they go, however they go.

import { describe, expect, it } from 'vitest'
import type { Selector } from 'tidemark'
import { requireService } from '../services.ts'
import { entryOf, groupsOver, valueOf, type Group, type Member } from './tiers.ts'

const groups = { scope: 's', era: 'e', tags: ['t', 'u'] }
const everyWay: readonly Selector[] = [
  { kind: 'scope', scope: 's' },
  { kind: 'era', era: 'e', scope: 's' },
  { kind: 'tag', tag: 't' },
  { kind: 'name', name: 'users' },
]

/** Rows of a name's lists, without the one that is there from the start. */
async function rowsOf({ client, keys }: Group): Promise<number> {
  let rows = 0
  for (const key of await keys()) {
    if (key.includes(':registry:')) continue
    if (/:[\w-]{12}:[ix]$/.test(key)) rows += (await client.zcard(key)) - 1
    else if (/:[\w-]{12}:g$/.test(key)) rows += (await client.hlen(key)) - 1
    else if (/:[\w-]{12}:[kh]/.test(key)) rows++
  }
  return rows
}

async function sweptAll({ tier }: Member, { clock }: Group): Promise<number> {
  let dropped = 0
  for (let i = 0; i < 20; i++) dropped += await tier.sweep(clock.now(), 50)
  return dropped
}

await requireService('redis', (url) => {
  const newGroup = groupsOver(url)

  async function filled(): Promise<{ group: Group; member: Member }> {
    const group = newGroup()
    const member = group.join()
    const { clock } = group
    const keepUntil = clock.now() + 60_000
    await Promise.all(
      Array.from({ length: 30 }, (_, i) => member.tier.put(entryOf(clock, `k${i}`, i, { ...groups, keepUntil }))),
    )
    // Each entry, its field, its groups, and a row for each of four groups.
    expect(await rowsOf(group)).toBe(30 * (1 + 1 + 1 + 4))
    return { group, member }
  }

  it.for(everyWay)('removed by $kind', async (selector) => {
    const { group, member } = await filled()
    expect(await member.tier.remove(selector)).toBe(30)
    await sweptAll(member, group)
    expect(await rowsOf(group)).toBe(0)
  })

  it('expired in Redis before the sweep', async () => {
    const { group, member } = await filled()
    for (const key of (await group.keys()).filter((it) => /:[\w-]{12}:k/.test(it))) await group.client.unlink(key)
    await group.clock.advance('1m')
    expect(await sweptAll(member, group)).toBe(30)
    expect(member.reports).toMatchObject([{ kind: 'evicted', name: 'users', count: 30, cause: 'ttl' }])
    expect(await rowsOf(group)).toBe(0)
  })

  it('evicted by Redis: counted as such, and what is listed and counted follows', async () => {
    const { group, member } = await filled()
    for (const i of [3, 7, 20]) {
      await group.client.unlink((await group.keys()).find((it) => it.endsWith(`:kk${i}`)) as string)
    }
    const listed: string[] = []
    for await (const { key } of member.tier.keys({ kind: 'tag', tag: 't' })) listed.push(key.id)
    expect(listed.length).toBe(27)
    expect(await sweptAll(member, group)).toBe(0)
    expect(member.reports.map((it) => (it.kind === 'evicted' && it.cause === 'size' ? it.count : 0))).toEqual([3])
    for (const selector of everyWay) expect(await member.tier.count(selector), selector.kind).toBe(27)
    expect(await rowsOf(group)).toBe(27 * 7)
  })

  it('cleared: at once for readers, and in slices for what it takes', async () => {
    const { group, member } = await filled()
    for (let i = 0; i < 3; i++) {
      expect(await member.tier.remove({ kind: 'name', name: 'users' })).toBe(i === 0 ? 30 : 1)
      expect(await valueOf(member, 'k1')).toBeUndefined()
      await member.tier.put(entryOf(group.clock, 'new', i, groups))
    }
    expect(await member.tier.sweep(group.clock.now(), 10)).toBeLessThanOrEqual(10)
    await sweptAll(member, group)
    expect(await rowsOf(group)).toBe(7)
    expect(await valueOf(member, 'new')).toBe(2)
    // The lists of the lives before are gone with their entries.
    expect((await group.keys()).filter((it) => it.endsWith(':i') && it.includes(':users}')).length).toBe(1)
  })

  it('moved to other groups, and out of all', async () => {
    const { group, member } = await filled()
    for (const i of [0, 1]) await member.tier.put(entryOf(group.clock, `k${i}`, i, { tags: ['t', 'v'] }))
    await member.tier.put(entryOf(group.clock, 'k2', 2))
    expect(await member.tier.count({ kind: 'tag', tag: 't' })).toBe(29)
    expect(await member.tier.count({ kind: 'tag', tag: 'v' })).toBe(2)
    expect(await member.tier.remove({ kind: 'scope', scope: 's' })).toBe(27)
    expect(await member.tier.count({ kind: 'name', name: 'users' })).toBe(3)
    expect(await member.tier.remove({ kind: 'name', name: 'users' })).toBe(3)
    await sweptAll(member, group)
    expect(await rowsOf(group)).toBe(0)
  })

  it('a group of many: all of it or nothing, listed in pages, counted in slices', async () => {
    const group = newGroup()
    const member = group.join()
    const ids = Array.from({ length: 6_000 }, (_, i) => `k${i}`)
    await Promise.all(
      ids.map((id) => member.tier.put(entryOf(group.clock, id, 1, { tags: ['t'], freshUntil: group.clock.now() + 1 }))),
    )
    const listed = new Set<string>()
    for await (const { key } of member.tier.keys({ kind: 'tag', tag: 't' })) listed.add(key.id)
    expect(listed.size).toBe(6_000)
    expect(await member.tier.count({ kind: 'tag', tag: 't' })).toBe(6_000)
    expect(await member.tier.remove({ kind: 'tag', tag: 't' }, group.clock.now())).toBe(6_000)
    expect(await member.tier.remove({ kind: 'tag', tag: 't' })).toBe(6_000)
    expect(await rowsOf(group)).toBe(0)
  })

  it('an invalidation of a name with very many entries clears it instead', async () => {
    const group = newGroup()
    const member = group.join()
    const ids = Array.from({ length: 10_100 }, (_, i) => `k${i}`)
    await Promise.all(ids.map((id) => member.tier.put(entryOf(group.clock, id, 1))))
    expect(await member.tier.remove({ kind: 'name', name: 'users' }, group.clock.now())).toBe(10_100)
    expect(await valueOf(member, 'k5')).toBeUndefined()
  })

  describe('an entry with no time left', () => {
    it('is not stored, and what it replaces is gone', async () => {
      const group = newGroup()
      const member = group.join()
      await member.tier.put(entryOf(group.clock, 'a', 'old'))
      expect(await member.tier.put(entryOf(group.clock, 'a', 'past', { keepUntil: group.clock.now() }))).toBe(true)
      expect(await valueOf(member, 'a')).toBeUndefined()
    })

    it('is gone in Redis when its time is up, by Redis itself', async () => {
      const group = newGroup()
      const member = group.join()
      await member.tier.put(entryOf(group.clock, 'a', 1, { keepUntil: group.clock.now() + 60_000 }))
      const key = (await group.keys()).find((it) => it.endsWith(':ka')) as string
      const leftMs = await group.client.pttl(key)
      expect(leftMs).toBeGreaterThan(50_000)
      expect(leftMs).toBeLessThanOrEqual(60_000)
      // A mark takes off what the invalidation takes off.
      await member.tier.put(
        entryOf(group.clock, 'b', 1, { freshUntil: group.clock.now() + 60_000, keepUntil: group.clock.now() + 90_000 }),
      )
      await member.tier.remove({ kind: 'name', name: 'users' }, group.clock.now())
      expect(
        await group.client.pttl((await group.keys()).find((it) => it.endsWith(':kb')) as string),
      ).toBeLessThanOrEqual(30_000)
    })
  })
})
