// C3, `bus-loss-duplicate-reorder`: messages lost, doubled, shuffled, or from an unknown version. Everyone hears of every
// change all the same, and nobody of their own.

import { describe, expect, it, onTestFinished } from 'vitest'
import { slotOfKey, slotOfName } from '../../src/slot.ts'
import type { Redis } from 'ioredis'
import { createClient } from 'redis'
import { requireProgram, requireService } from '../services.ts'
import { pause, startApp, timed, until } from './app.ts'
import { startProxy } from './proxy.ts'
import { SERVER_PROGRAMS, startServer } from './server.ts'
import { entryOf, groupsOver, valueOf, type Member } from './tiers.ts'

const slotOf = (id: string): number => slotOfKey({ name: 'users', id })
const flat = (member: Member): (number | 'all')[] =>
  member.heard.flatMap((it): (number | 'all')[] => (it === 'all' ? ['all'] : [...it]))

await requireService('redis', (url) => {
  const newGroup = groupsOver(url)

  /** A member that hears messages, and what it hears them on. */
  async function listening(group: ReturnType<typeof newGroup>): Promise<Member & { readonly subscriber: Redis }> {
    const subscriber = group.client.duplicate()
    const member = group.join({ subscriber })
    await member.tier.get({ name: 'users', id: 'any' })
    const stop = member.tier.feed?.poll()
    onTestFinished(() => {
      stop?.()
      subscriber.disconnect()
    })
    await until(async () => (await group.client.pubsub('NUMSUB', `${group.prefix}:changes`))[1] === 1)
    await member.tier.feed?.check()
    member.heard.length = 0
    return { ...member, subscriber }
  }

  it('what others change is heard within a round trip, and each change once', async () => {
    const group = newGroup()
    const [a, b] = [await listening(group), group.join()]
    for (const id of ['x', 'y', 'z']) await b.tier.put(entryOf(group.clock, id, 1))
    await until(() => a.heard.length === 3)
    expect(flat(a)).toEqual(['x', 'y', 'z'].map(slotOf))
    await a.tier.feed?.check()
    expect(a.heard.length).toBe(3)
  })

  it('nobody hears of their own changes, also when they are mixed with others', async () => {
    const group = newGroup()
    const [a, b] = [await listening(group), group.join()]
    for (let i = 0; i < 20; i++) {
      await Promise.all([a.tier.put(entryOf(group.clock, `a${i}`, 1)), b.tier.put(entryOf(group.clock, `b${i}`, 1))])
    }
    await until(() => flat(a).length >= 20)
    await pause(20)
    expect(flat(a)).toEqual(Array.from({ length: 20 }, (_, i) => slotOf(`b${i}`)))
  })

  it('nobody hears of their own clear, nor of what they read and set after it', async () => {
    const group = newGroup()
    const a = await listening(group)
    await a.tier.put(entryOf(group.clock, 'x', 1))
    await a.tier.remove({ kind: 'name', name: 'users' })
    expect(await valueOf(a, 'x')).toBeUndefined()
    await a.tier.put(entryOf(group.clock, 'x', 2))
    await pause(20)
    await a.tier.feed?.check()
    expect(await valueOf(a, 'x')).toBe(2)
    expect(a.heard).toEqual([])
  })

  it('a message about a state that is no more drops all of the name', async () => {
    const group = newGroup()
    const [a, b] = [await listening(group), group.join()]
    const key = `{${group.prefix}:users}:m`
    const meta = (await group.client.get(key)) as string
    await b.tier.put(entryOf(group.clock, 'x', 1))
    await until(() => a.heard.length === 1)
    await group.client.set(key, meta)
    const [epoch, sequence] = meta.split(' ') as [string, string]
    await group.client.publish(`${group.prefix}:changes`, `1 other ${epoch} ${Number(sequence) + 5} 1 nusers`)
    await until(() => flat(a).includes(slotOfName('users')))
  })

  it('a clear of the name by another process drops all of the name', async () => {
    const group = newGroup()
    const [a, b] = [await listening(group), group.join()]
    await b.tier.remove({ kind: 'name', name: 'users' })
    await until(() => a.heard.length > 0)
    expect(flat(a)).toContain(slotOfName('users'))
    await b.tier.put(entryOf(group.clock, 'x', 1))
    await until(() => flat(a).includes(slotOf('x')) || flat(a).filter((it) => it === slotOfName('users')).length > 1)
  })

  describe('bus-loss-duplicate-reorder: messages that are not as they should be', () => {
    it('lost ones are made up for by the next', async () => {
      const group = newGroup()
      const [a, b] = [await listening(group), group.join()]
      await a.subscriber.unsubscribe(`${group.prefix}:changes`)
      for (const id of ['x', 'y']) await b.tier.put(entryOf(group.clock, id, 1))
      await a.subscriber.subscribe(`${group.prefix}:changes`)
      await b.tier.put(entryOf(group.clock, 'z', 1))
      await until(() => flat(a).length >= 3)
      expect(new Set(flat(a))).toEqual(new Set(['x', 'y', 'z'].map(slotOf)))
    })

    it('lost ones are made up for without a next one', async () => {
      const group = newGroup()
      const [a, b] = [await listening(group), group.join()]
      await a.subscriber.unsubscribe(`${group.prefix}:changes`)
      await b.tier.put(entryOf(group.clock, 'x', 1))
      expect(await until(() => flat(a).includes(slotOf('x')))).toBeLessThan(3_000)
    })

    it('doubled, shuffled, older, and from a newer version: all changes are heard of', async () => {
      const group = newGroup()
      const [a, b] = [await listening(group), group.join()]
      const channel = `${group.prefix}:changes`
      const messages: string[] = []
      const spy = group.client.duplicate()
      onTestFinished(() => spy.disconnect())
      spy.on('message', (_: string, message: string) => messages.push(message))
      await spy.subscribe(channel)
      const ids = Array.from({ length: 30 }, (_, i) => `k${i}`)
      for (const [i, id] of ids.entries()) {
        await b.tier.put(entryOf(group.clock, id, 1))
        const old = messages[Math.floor(Math.random() * messages.length)]
        if (old !== undefined) await group.client.publish(channel, old)
        // From the future of this very life, from another life, and from another version.
        const [version, origin, epoch] = (messages.at(-1) ?? '1 x y').split(' ')
        if (i % 7 === 3) await group.client.publish(channel, [version, origin, epoch, i + 40, 5, 'nusers'].join(' '))
        if (i % 11 === 5) await group.client.publish(channel, [version, origin, 'no-life', i, 5, 'nusers'].join(' '))
        if (i % 5 === 1) await group.client.publish(channel, '2 {"unknown":true}')
      }
      await until(() => ids.every((id) => flat(a).includes(slotOf(id)) || flat(a).includes(slotOfName('users'))))
      await pause(50)
      await b.tier.put(entryOf(group.clock, 'last', 1))
      await until(() => flat(a).includes(slotOf('last')))
      const lease = await a.tier.lease()
      expect(await a.tier.put(entryOf(group.clock, 'new', 'loaded'), lease)).toBe(true)
    })
  })

  it('without a connection for news Redis is asked, every 50 ms', async () => {
    const group = newGroup()
    const [a, b] = [group.join(), group.join()]
    await a.tier.get({ name: 'users', id: 'any' })
    const stop = a.tier.feed?.poll()
    onTestFinished(() => stop?.())
    await b.tier.put(entryOf(group.clock, 'x', 1))
    expect(await until(() => flat(a).includes(slotOf('x')))).toBeLessThan(1_000)
  })

  it('a look that is never answered is given up, and the next one tells what it would have told', async () => {
    const group = newGroup()
    const client = group.client.duplicate()
    onTestFinished(() => client.disconnect())
    const mget = client.mgetBuffer.bind(client) as (...keys: string[]) => Promise<(Buffer | null)[]>
    let isSwallowed = true
    client.mgetBuffer = ((...keys: string[]) => {
      const isLook = keys.every((key) => key.endsWith(':m'))
      if (isSwallowed || !isLook) return mget(...keys)
      isSwallowed = true
      return new Promise(() => {})
    }) as typeof client.mgetBuffer
    const [a, b] = [group.join({ client }), group.join()]
    await a.tier.get({ name: 'users', id: 'any' })
    isSwallowed = false
    const stop = a.tier.feed?.poll()
    onTestFinished(() => stop?.())
    await until(() => isSwallowed)
    await b.tier.put(entryOf(group.clock, 'x', 1))
    await until(() => flat(a).includes(slotOf('x')))
    expect(flat(a)).toEqual([slotOf('x')])
  })

  it('strict: one question answers for all who ask in one turn, and what it finds is told before it resolves', async () => {
    const group = newGroup()
    const [a, b] = [group.join(), group.join()]
    for (const member of [a, b]) await member.tier.get({ name: 'users', id: 'any' })
    await b.tier.put(entryOf(group.clock, 'x', 1))
    await b.tier.remove({ kind: 'scope', scope: 's' })
    const before = Number(/cmdstat_mget:calls=(\d+)/.exec(await group.client.info('commandstats'))?.[1])
    await Promise.all(Array.from({ length: 100 }, () => a.tier.feed?.check()))
    const after = Number(/cmdstat_mget:calls=(\d+)/.exec(await group.client.info('commandstats'))?.[1])
    expect(flat(a)).toContain(slotOf('x'))
    // Others use this Redis as well.
    expect(after - before).toBeLessThan(50)
  })

  it('the news may come through node-redis as well', async () => {
    const group = newGroup()
    const subscriber = createClient({ url })
    await subscriber.connect()
    const a = group.join({ subscriber })
    await a.tier.get({ name: 'users', id: 'any' })
    const stop = a.tier.feed?.poll()
    onTestFinished(() => {
      stop?.()
      subscriber.destroy()
    })
    await until(async () => (await group.client.pubsub('NUMSUB', `${group.prefix}:changes`))[1] === 1)
    const b = group.join()
    await b.tier.put(entryOf(group.clock, 'x', 1))
    await until(() => flat(a).includes(slotOf('x')))
    expect(await valueOf(a, 'x')).toBe(1)
  })
})

requireProgram(SERVER_PROGRAMS, (program) => {
  it('news cut off and reset again and again: what was invalidated meanwhile is not served afterwards', async () => {
    const server = await startServer(program)
    const proxy = await startProxy(server.port)
    let version = 0
    const load = async (): Promise<string> => `v${version}`
    const a = startApp(server, { newsPort: proxy.port, load })
    const b = startApp(server, { load })
    const keys = Array.from({ length: 30 }, (_, i) => `k${i}`)
    for (let round = 0; round < 6; round++) {
      for (const key of keys) await a.users.get(key)
      if (round % 3 === 0) proxy.silence()
      else if (round % 3 === 1) proxy.reset()
      else await proxy.refuse()
      version++
      for (const key of keys) await b.users.invalidate(key)
      // While it is silent nobody knows: a look a second bounds it.
      const heardMs = await timed(() => until(async () => (await a.users.get('k0')) === `v${version}`))
      expect(heardMs).toBeLessThan(4_000)
      for (const key of keys) expect(await a.users.get(key)).toBe(`v${version}`)
      if (round % 3 === 0) proxy.speak()
      if (round % 3 === 2) await proxy.listen()
    }
  })
})
