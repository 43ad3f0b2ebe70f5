// Leases among several processes over one Redis: what one changed, or lost, is too old to store for all the others.

import { describe, expect, it } from 'vitest'
import { slotOfName } from '../../src/slot.ts'
import type { Lease } from 'tidemark'
import { requireService } from '../services.ts'
import { testLeasesAmongProcesses } from '../tier/leases.ts'
import { entryOf, groupsOver, valueOf, type Group, type Member } from './tiers.ts'

const groups = { scope: 's', era: 'e', tags: ['t'] }

await requireService('redis', (url) => {
  const newGroup = groupsOver(url)

  testLeasesAmongProcesses(newGroup)

  it('more changes than are remembered make a lease too old', async () => {
    const { clock, join } = newGroup()
    const [a, b] = [join(), join()]
    await a.tier.get({ name: 'users', id: 'a' })
    const lease = await a.tier.lease()
    for (let i = 0; i < 90; i++) {
      await Promise.all(Array.from({ length: 100 }, (_, j) => b.tier.put(entryOf(clock, `${i} ${j}`, 1))))
    }
    expect(await a.tier.put(entryOf(clock, 'a', 'loaded'), lease)).toBe(false)
    await a.tier.feed?.check()
    expect(a.heard.length).toBeGreaterThan(0)
    expect(await a.tier.put(entryOf(clock, 'a', 'loaded'), await a.tier.lease())).toBe(true)
  })

  describe('what Redis loses ends the life of a name', () => {
    it.for(['m', 's', 'EPOCH:i', 'EPOCH:g', 'EPOCH:x'])('its %s', async (row) => {
      const { clock, join, client, prefix } = newGroup()
      const [a, b] = [join(), join()]
      await a.tier.put(entryOf(clock, 'a', 'old', groups))
      expect(await valueOf(b, 'a')).toBe('old')
      const lease = await b.tier.lease()
      const base = `{${prefix}:users}:`
      const [epoch] = (await client.get(`${base}m`))?.split(' ') ?? []
      expect(await client.unlink(base + row.replace('EPOCH', epoch ?? ''))).toBe(1)
      expect(await b.tier.put(entryOf(clock, 'a', 'loaded', groups), lease)).toBe(false)
      // Nothing of the group can be found any more, so none of it may be read.
      await a.tier.remove({ kind: 'tag', tag: 't' })
      for (const member of [a, b]) expect(await valueOf(member, 'a')).toBeUndefined()
      expect(await b.tier.put(entryOf(clock, 'a', 'new', groups), await b.tier.lease())).toBe(true)
      expect(await valueOf(a, 'a')).toBe('new')
    })

    it('the registry of names: everything', async () => {
      const { clock, join, client, prefix } = newGroup()
      const [a, b] = [join(), join()]
      await a.tier.put(entryOf(clock, 'a', 'old', groups))
      expect(await valueOf(b, 'a')).toBe('old')
      const lease = await b.tier.lease()
      expect(await client.unlink(`{${prefix}}:registry:m`)).toBe(1)
      await b.tier.feed?.check()
      expect(b.heard).toContain('all')
      expect(await b.tier.put(entryOf(clock, 'a', 'loaded', groups), lease)).toBe(false)
      await join().tier.remove({ kind: 'tag', tag: 't' })
      expect(await valueOf(b, 'a')).toBeUndefined()
    })
  })

  describe('a sequence that went back, as in an older snapshot, is another life', () => {
    async function wentBack(): Promise<{ group: Group; b: Member; lease: Lease }> {
      const group = newGroup()
      const { clock, join, client, prefix } = group
      const [a, b] = [join(), join()]
      await a.tier.put(entryOf(clock, 'a', 1))
      const meta = (await client.get(`{${prefix}:users}:m`)) as string
      for (let i = 0; i < 5; i++) await a.tier.put(entryOf(clock, 'b', i))
      await b.tier.get({ name: 'users', id: 'a' })
      const lease = await b.tier.lease()
      await client.set(`{${prefix}:users}:m`, meta)
      return { group, b, lease }
    }

    it('for a store', async () => {
      const { group, b, lease } = await wentBack()
      expect(await b.tier.put(entryOf(group.clock, 'c', 'loaded'), lease)).toBe(false)
      expect(b.heard).toEqual([[slotOfName('users')]])
    })

    it('for a look', async () => {
      const { b } = await wentBack()
      await b.tier.feed?.check()
      expect(b.heard).toEqual([[slotOfName('users')]])
    })
  })

  it('names and prefixes that look alike share nothing', async () => {
    const { clock, join, prefix } = newGroup()
    const [outer, inner] = [join(), join({ prefix: `${prefix}:users` })]
    const entry = (name: string, value: string) => ({ ...entryOf(clock, 'a', value), key: { name, id: 'a' } })
    const names = ['users', 'users:x', 'users}:m', '{users', 'users%003a', 'registry', 'x', '']
    for (const name of names) await outer.tier.put(entry(name, `outer ${name}`))
    for (const name of names) await inner.tier.put(entry(name, `inner ${name}`))
    for (const name of names) {
      expect((await outer.tier.get({ name, id: 'a' }))?.value).toBe(`outer ${name}`)
      expect((await inner.tier.get({ name, id: 'a' }))?.value).toBe(`inner ${name}`)
    }
    expect(await inner.tier.remove({ kind: 'all' })).toBe(names.length)
    expect(await outer.tier.count({ kind: 'all' })).toBe(names.length)
    const listed: string[] = []
    for await (const { key } of outer.tier.keys({ kind: 'all' })) listed.push(key.name)
    expect(listed.toSorted()).toEqual(names.toSorted())
  })
})
