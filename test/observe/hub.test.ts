import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { EventListener, TidemarkEvent } from 'tidemark'
import { NameCounters } from '../../src/observe/counters.ts'
import { Hub } from '../../src/observe/hub.ts'

const set = (key: string): TidemarkEvent => ({ type: 'set', name: 'users', key })
const state = (reason: string): TidemarkEvent => ({ type: 'tier-state', tier: 'sqlite', state: 'open', reason })

describe('events', () => {
  it('reach every listener in order, until it stops listening', () => {
    const hub = new Hub()
    const [one, two] = [vi.fn<(event: TidemarkEvent) => void>(), vi.fn<(event: TidemarkEvent) => void>()]
    const stop = hub.on(one)
    hub.on(two)
    hub.emit(set('a'))
    stop()
    stop()
    hub.emit(set('b'))
    expect(one.mock.calls.flat()).toEqual([set('a')])
    expect(two.mock.calls.flat()).toEqual([set('a'), set('b')])
  })

  it('a listener that throws, or stops in the middle, keeps no other from hearing', () => {
    const hub = new Hub()
    const heard: string[] = []
    hub.on(() => {
      throw new Error('listener')
    })
    const stop = hub.on(() => stop())
    hub.on((event) => heard.push(event.type))
    expect(() => hub.emit(set('a'))).not.toThrow()
    hub.emit(set('b'))
    expect(heard).toEqual(['set', 'set'])
  })

  it('an async listener that fails keeps no other from hearing, and is no unhandled rejection', async () => {
    const hub = new Hub()
    const unhandled = vi.fn<(reason: unknown) => void>()
    process.on('unhandledRejection', unhandled)
    onTestFinished(() => void process.off('unhandledRejection', unhandled))
    const heard: string[] = []
    const failing: unknown = async () => {
      await Promise.resolve()
      throw new Error('listener')
    }
    hub.on(failing as EventListener)
    hub.on((event) => void heard.push(event.type))
    hub.emit(set('a'))
    // Rejections are told at the end of a turn.
    for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve))
    expect(heard).toEqual(['set'])
    expect(unhandled).not.toHaveBeenCalled()
  })

  it('what tiers said before anybody listened is told to the first who does, and only that', () => {
    const hub = new Hub()
    hub.emit(state('at the start'))
    hub.emit(set('nobody waits for this'))
    const [one, two] = [vi.fn<(event: TidemarkEvent) => void>(), vi.fn<(event: TidemarkEvent) => void>()]
    hub.on(one)
    hub.on(two)
    expect(one.mock.calls.flat()).toEqual([state('at the start')])
    expect(two).not.toHaveBeenCalled()
  })

  it('what nobody hears is not kept without end', () => {
    const hub = new Hub()
    for (let i = 0; i < 10_000; i++) hub.emit(state(String(i)))
    const heard = vi.fn<(event: TidemarkEvent) => void>()
    hub.on(heard)
    expect(heard).toHaveBeenCalledTimes(100)
    expect(heard.mock.calls[0]?.[0]).toEqual(state('0'))
  })

  it('nobody hears: no event needs to be made', () => {
    const hub = new Hub()
    expect(hub.isHeard).toBe(false)
    const stop = hub.on(() => {})
    expect(hub.isHeard).toBe(true)
    stop()
    expect(hub.isHeard).toBe(false)
  })
})

describe('counters', () => {
  it('add up: requests are hits and misses, hits of the first tier are with the others', () => {
    const counters = new NameCounters()
    counters.frontHits = 3
    counters.hit('memory', true)
    counters.hit('sqlite', false)
    counters.hit('sqlite', true)
    counters.misses = 4
    expect(counters.snapshot('memory')).toMatchObject({
      requests: 10,
      hits: 6,
      staleHits: 2,
      misses: 4,
      hitsByTier: { memory: 4, sqlite: 2 },
    })
  })

  it('a snapshot does not move with the counters', () => {
    const counters = new NameCounters()
    const before = counters.snapshot('memory')
    counters.evictions.size++
    counters.hit('memory', false)
    expect(before).toMatchObject({ hits: 0, hitsByTier: {}, evictions: { size: 0 } })
  })

  it('are one set for a name, made on first use', () => {
    const hub = new Hub()
    hub.of('users').sets++
    expect(hub.of('users').sets).toBe(1)
    expect(hub.of('others').sets).toBe(0)
    expect([...hub.names()]).toEqual(['users', 'others'])
  })
})
