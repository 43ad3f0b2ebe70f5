// `bit-flip`: what lies in PostgreSQL is read as it was written, or not at all.

import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { requireService } from '../services.ts'
import { entryOf, valueOf } from '../tier/member.ts'
import { until } from '../tier/app.ts'
import { groupsOver } from './tiers.ts'

await requireService('postgres', (url) => {
  const newGroup = groupsOver(url)
  const value = { n: 1, text: 'é 🌊', list: [1, 2, 3] }
  const more = { scope: 'scope', era: 'era', tags: ['one', 'two'], revision: 'r1' }

  it('a flipped bit anywhere in a frame is a miss and a count, and what is damaged goes', async () => {
    const { clock, join, rows } = newGroup()
    const a = join()
    await a.tier.put(entryOf(clock, 'a', value, more))
    const bits = Number((await rows('select octet_length(frame) * 8 as bits from $.entries'))[0]?.['bits'])
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: bits - 1 }), async (bit) => {
        await a.tier.put(entryOf(clock, 'a', value, more))
        a.reports.length = 0
        await rows(`update $.entries set frame = set_bit(frame, ${bit}, 1 - get_bit(frame, ${bit}))`)
        expect(await valueOf(a, 'a')).toBeUndefined()
        expect(a.reports).toMatchObject([{ kind: 'corrupt', key: { name: 'users', id: 'a' } }])
        const isNewer = bit >= 16 && bit < 32
        // What a newer version might have written is left to it.
        if (!isNewer) await until(async () => (await rows('select from $.entries')).length === 0)
      }),
      { numRuns: 60 },
    )
  })

  it('a mark that is not what was written, and a row that is not of this key', async () => {
    const { clock, join, rows } = newGroup()
    const a = join()
    for (const damage of [
      'stale_at = 5',
      'stale_again = 5',
      "field = 'kb'",
      'name_id = name_id + 1',
      'frame = frame || frame',
    ]) {
      // Unlike the one before, which may still be on its way out.
      await a.tier.put(entryOf(clock, 'a', damage, more))
      expect(await valueOf(a, 'a')).toBe(damage)
      await rows(`update $.entries set ${damage}`)
      expect(await valueOf(a, 'a'), damage).toBeUndefined()
      await rows('delete from $.entries')
    }
  })

  it('two keys with one hash: the newcomer is not cached, nobody gets the value of another', async () => {
    const { clock, join, rows } = newGroup()
    const a = join()
    await a.tier.put(entryOf(clock, 'a', 'of a'))
    await a.tier.put(entryOf(clock, 'b', 'of b'))
    const [b] = await rows("select kh::text as kh from $.entries where field = 'kb'")
    await rows("delete from $.entries where field = 'kb'")
    await rows(`update $.entries set kh = ${String(b?.['kh'])} where field = 'ka'`)
    expect(await valueOf(a, 'b')).toBeUndefined()
    await a.tier.put(entryOf(clock, 'b', 'again of b'))
    expect(await valueOf(a, 'b')).toBeUndefined()
    expect(await rows('select field from $.entries')).toEqual([{ field: 'ka' }])
  })
})
