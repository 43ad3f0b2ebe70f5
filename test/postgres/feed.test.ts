// News among several processes over one PostgreSQL: announcements may be lost, and everyone hears of every change all the
// same, and nobody of their own.

import { Client } from 'pg'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { slotOfKey } from '../../src/slot.ts'
import { until } from '../redis/app.ts'
import { requireService } from '../services.ts'
import { entryOf, heardBy, type Member } from '../tier/member.ts'
import { groupsOver, type Group } from './tiers.ts'

const slotOf = (id: string): number => slotOfKey({ name: 'users', id })

await requireService('postgres', (url) => {
  const newGroup = groupsOver(url)

  /** A member that hears announcements, and the number of the server's process they come from. */
  async function listening({ join, rows, schema }: Group): Promise<Member & { readonly pids: number[] }> {
    const pids: number[] = []
    const member = join({
      listen: async () => {
        const client = new Client({ connectionString: url })
        await client.connect()
        const found = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
        pids.push(Number(found.rows[0]?.pid))
        return client
      },
    })
    await member.tier.get({ name: 'users', id: 'any' })
    const stop = member.tier.feed?.poll()
    onTestFinished(() => stop?.())
    await until(async () => (await listeners(rows, schema)) === 1)
    await member.tier.feed?.check()
    member.heard.length = 0
    return { ...member, pids }
  }

  const listeners = async (rows: Group['rows'], schema: string): Promise<number> =>
    Number((await rows(`select count(*) as n from pg_stat_activity where query = 'listen "${schema}"'`))[0]?.['n'])

  it('what others change is heard, each change once', async () => {
    const group = newGroup()
    const [a, b] = [await listening(group), group.join()]
    for (const id of ['x', 'y', 'z']) await b.tier.put(entryOf(group.clock, id, 1))
    await until(() => heardBy(a).length === 3)
    expect(new Set(heardBy(a))).toEqual(new Set(['x', 'y', 'z'].map(slotOf)))
    await a.tier.feed?.check()
    expect(heardBy(a).length).toBe(3)
  })

  it('nobody hears of their own changes, also when they are mixed with others', async () => {
    const group = newGroup()
    const [a, b] = [await listening(group), group.join()]
    for (let i = 0; i < 20; i++) {
      await Promise.all([a.tier.put(entryOf(group.clock, `a${i}`, 1)), b.tier.put(entryOf(group.clock, `b${i}`, 1))])
    }
    await until(() => heardBy(a).length >= 20)
    await a.tier.feed?.check()
    expect(heardBy(a)).toHaveLength(20)
    expect(new Set(heardBy(a))).toEqual(new Set(Array.from({ length: 20 }, (_, i) => slotOf(`b${i}`))))
  })

  it('lost announcements are made up for without a next one', async () => {
    const group = newGroup()
    const [a, b] = [await listening(group), group.join()]
    await group.rows(`select pg_terminate_backend(${a.pids[0]})`)
    await b.tier.put(entryOf(group.clock, 'x', 1))
    await until(() => heardBy(a).includes(slotOf('x')))
    // It listens again by itself.
    await until(() => a.pids.length > 1)
  })

  it('a change whose announcement was never sent is seen all the same', async () => {
    const group = newGroup()
    const a = await listening(group)
    await group.rows("insert into $.changes select max(seq) + 1, 'silent', array[77] from $.changes")
    await until(() => heardBy(a).includes(77))
  })

  it('without announcements PostgreSQL is asked, every 50 ms', async () => {
    const { clock, join } = newGroup()
    const [a, b] = [join(), join()]
    await a.tier.get({ name: 'users', id: 'any' })
    const stop = a.tier.feed?.poll()
    onTestFinished(() => stop?.())
    await b.tier.put(entryOf(clock, 'x', 1))
    expect(await until(() => heardBy(a).includes(slotOf('x')))).toBeLessThan(2_000)
  })

  describe('a look whose answer does not come', () => {
    /** A client that keeps the next look to itself once it is told to; `release` gives it its answer after all. */
    function keeping(client: Group['client']): { client: Group['client']; keep: () => void; release?: () => void } {
      let isKept = false
      const it: ReturnType<typeof keeping> = {
        keep: () => (isKept = true),
        client: {
          query: async (config) => {
            if (!isKept || !config.text.includes('.changed(')) return client.query(config)
            isKept = false
            const answer = await client.query(config)
            return new Promise((resolve) => (it.release = () => resolve(answer)))
          },
        },
      }
      return it
    }

    it('is given up, and the next one tells what it would have told', async () => {
      const group = newGroup()
      const { client, keep } = keeping(group.client)
      const [a, b] = [group.join({ client }), group.join()]
      await a.tier.get({ name: 'users', id: 'any' })
      keep()
      const stop = a.tier.feed?.poll()
      onTestFinished(() => stop?.())
      await b.tier.put(entryOf(group.clock, 'x', 1))
      await until(() => heardBy(a).includes(slotOf('x')))
      expect(heardBy(a)).toEqual([slotOf('x')])
    })

    it('is made again ever later: what is given up does not pile up on a pool whose lines are dead', async () => {
      const { client, join } = newGroup()
      let isDead = false
      let asked = 0
      const dying: Group['client'] = {
        query: (config) => {
          if (!isDead || !config.text.includes('.changed(')) return client.query(config)
          asked++
          return new Promise(() => {})
        },
      }
      const a = join({ client: dying })
      await a.tier.get({ name: 'users', id: 'any' })
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] })
      onTestFinished(() => void vi.useRealTimers())
      isDead = true
      const stop = a.tier.feed?.poll()
      await vi.advanceTimersByTimeAsync(29_000)
      expect(asked).toBe(4)
      await vi.advanceTimersByTimeAsync(300_000)
      expect(asked, 'and it is never given up altogether').toBe(14)
      stop?.()
    })

    it('does no harm when it comes in the end, older than what is known by then', async () => {
      const group = newGroup()
      const kept = keeping(group.client)
      const opened: string[] = []
      const client: Group['client'] = {
        query: (config) => {
          if (config.text.includes('.open()')) opened.push(config.text)
          return kept.client.query(config)
        },
      }
      const [a, b] = [group.join({ client }), group.join()]
      await a.tier.get({ name: 'users', id: 'any' })
      kept.keep()
      const early = Promise.resolve(a.tier.feed?.check())
      await until(() => kept.release)
      for (const id of ['x', 'y']) await b.tier.put(entryOf(group.clock, id, 1))
      await a.tier.feed?.check()
      kept.release?.()
      await early
      await b.tier.put(entryOf(group.clock, 'z', 1))
      await a.tier.feed?.check()
      expect(heardBy(a)).toEqual(['x', 'y', 'z'].map(slotOf))
      expect(opened, 'it is still the same life').toHaveLength(1)
    })
  })

  it('tables that were looked for without an answer are looked for again', async () => {
    const { clock, client, join } = newGroup()
    let isSwallowed = false
    const swallowing: Group['client'] = {
      query: (config) => {
        if (isSwallowed || !config.text.includes('.open()')) return client.query(config)
        isSwallowed = true
        return new Promise(() => {})
      },
    }
    const b = join()
    await b.tier.put(entryOf(clock, 'x', 1))
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const a = join({ client: swallowing })
    const asked = Promise.resolve(a.tier.get({ name: 'users', id: 'x' }))
    const failed = expect(asked).rejects.toMatchObject({ code: 'tier-unavailable' })
    await new Promise((resolve) => setImmediate(resolve))
    expect(isSwallowed).toBe(true)
    vi.advanceTimersByTime(60_000)
    await failed
    vi.useRealTimers()
    expect((await a.tier.get({ name: 'users', id: 'x' }))?.value).toBe(1)
  })

  it('a gap in the sequence means that everything may have been missed', async () => {
    const { clock, join, rows } = newGroup()
    const [a, b] = [join(), join()]
    await a.tier.get({ name: 'users', id: 'any' })
    for (const id of ['x', 'y', 'z']) await b.tier.put(entryOf(clock, id, 1))
    await rows('delete from $.changes where seq = (select max(seq) - 1 from $.changes)')
    await a.tier.feed?.check()
    expect(a.heard).toEqual(['all'])
  })

  it('strict: one question answers for all who ask in one turn, and what it finds is told before it resolves', async () => {
    const { clock, join, client, schema } = newGroup()
    let asked = 0
    const a = join({
      client: {
        query: (config: { text: string }) => {
          if (config.text.includes('.changed(')) asked++
          return client.query(config)
        },
      },
    })
    const b = join()
    for (const member of [a, b]) await member.tier.get({ name: 'users', id: 'any' })
    await b.tier.put(entryOf(clock, 'x', 1))
    await Promise.all(Array.from({ length: 100 }, () => a.tier.feed?.check()))
    expect(heardBy(a), schema).toEqual([slotOf('x')])
    expect(asked).toBe(1)
  })
})
