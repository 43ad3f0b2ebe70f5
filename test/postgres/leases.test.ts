// Leases among several processes over one PostgreSQL: what one changed, or lost, is too old to store for all the others.

import { describe, expect, it } from 'vitest'
import { requireService } from '../services.ts'
import { testLeasesAmongProcesses } from '../tier/leases.ts'
import { entryOf, valueOf } from '../tier/member.ts'
import { groupsOver } from './tiers.ts'

await requireService('postgres', (url) => {
  const newGroup = groupsOver(url)

  testLeasesAmongProcesses(newGroup)

  it('more changes than are remembered make a lease too old', async () => {
    const { clock, join, rows } = newGroup()
    const [a, b] = [join(), join()]
    await a.tier.get({ name: 'users', id: 'a' })
    const lease = await a.tier.lease()
    await rows("insert into $.changes select seq, 'bulk', array[seq % 7 + 1] from generate_series(1, 5000) seq")
    for (let i = 0; i < 120; i++) await b.tier.put(entryOf(clock, 'b', i))
    expect(Number((await rows('select count(*) as kept from $.changes'))[0]?.['kept'])).toBeLessThan(5_000)
    expect(await a.tier.put(entryOf(clock, 'a', 'loaded'), lease)).toBe(false)
    await a.tier.feed?.check()
    expect(a.heard).toEqual(['all'])
    expect(await a.tier.put(entryOf(clock, 'a', 'loaded'), await a.tier.lease())).toBe(true)
  })

  describe('what PostgreSQL loses ends the life of the data', () => {
    it.for(['place', 'changes', 'place, $.changes, $.names, $.entries, $.claims'])('its %s', async (tables) => {
      const { clock, join, rows } = newGroup()
      const [a, b] = [join(), join()]
      await a.tier.put(entryOf(clock, 'a', 'old', { tags: ['t'] }))
      expect(await valueOf(b, 'a')).toBe('old')
      const lease = await b.tier.lease()
      await rows(`truncate $.${tables}`)
      expect(await b.tier.put(entryOf(clock, 'a', 'loaded'), lease)).toBe(false)
      expect(b.heard).toEqual(['all'])
      await a.tier.remove({ kind: 'tag', tag: 't' })
      expect(a.heard).toEqual(['all'])
      for (const member of [a, b]) expect(await valueOf(member, 'a')).toBeUndefined()
      expect(await b.tier.put(entryOf(clock, 'a', 'new'), await b.tier.lease())).toBe(true)
      expect(await valueOf(a, 'a')).toBe('new')
    })

    it('all of it: the tables are made anew', async () => {
      const { clock, join, rows, schema } = newGroup()
      const { tier, heard } = join()
      await tier.put(entryOf(clock, 'a', 'old'))
      await rows(`drop schema ${schema} cascade`)
      expect(await tier.get({ name: 'users', id: 'a' })).toBeUndefined()
      expect(heard).toEqual(['all'])
      await tier.put(entryOf(clock, 'a', 'new'))
      expect((await tier.get({ name: 'users', id: 'a' }))?.value).toBe('new')
    })

    it('tables that came from a dump, which may bring back what was removed', async () => {
      const { clock, join, rows } = newGroup()
      const a = join()
      await a.tier.put(entryOf(clock, 'a', 'old'))
      await rows("update $.place set identity = 'of another table'")
      const b = join()
      expect(await valueOf(b, 'a')).toBeUndefined()
      await a.tier.feed?.check()
      expect(a.heard).toEqual(['all'])
    })

    it('a sequence that went back', async () => {
      const { clock, join, rows } = newGroup()
      const [a, b] = [join(), join()]
      for (let i = 0; i < 5; i++) await a.tier.put(entryOf(clock, 'b', i))
      await b.tier.get({ name: 'users', id: 'a' })
      const lease = await b.tier.lease()
      await rows('delete from $.changes where seq > 2')
      expect(await b.tier.put(entryOf(clock, 'c', 'loaded'), lease)).toBe(false)
      expect(b.heard).toEqual(['all'])
    })
  })

  it('sets of several keys and removals of groups by many processes at once end, in whatever order', async () => {
    const { clock, join } = newGroup()
    const members = Array.from({ length: 4 }, () => join({ budgetMs: 20_000 }))
    const work = members.flatMap(({ tier }, m) =>
      Array.from({ length: 30 }, async (_, i) => {
        const more = { scope: `s${i % 3}`, era: 'e', tags: [`t${i % 2}`, 'all'] }
        if (i % 10 === 9) await tier.remove({ kind: 'tag', tag: m % 2 === 0 ? 'all' : 't1' })
        else if (i % 10 === 7) await tier.remove({ kind: 'scope', scope: 's1' }, clock.now())
        else if (i % 10 === 5) await tier.remove({ kind: 'name', name: 'users' })
        else if (i % 2 === 0) await tier.put(entryOf(clock, `k${(i * 7 + m) % 11}`, i, more))
        else await tier.put(entryOf(clock, `k${(i * 5 + m) % 11}`, i, more), await tier.lease())
        await tier.sweep(clock.now(), 20)
      }),
    )
    await Promise.all(work)
    await members[0]?.tier.remove({ kind: 'tag', tag: 'all' })
    for (const { tier } of members) expect(await tier.count({ kind: 'all' })).toBe(0)
  })
})
