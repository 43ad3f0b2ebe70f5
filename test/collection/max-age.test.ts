import { isTidemarkError, memory, sqlite, ttl } from 'tidemark'
import { describe, expect, it } from 'vitest'
import { testFolder } from '../folder.ts'
import { open } from './source.ts'

const folder = testFolder()

describe('a list whose count was asked for lately', () => {
  it('will do for a reader who says so, until it is that old; others ask', async () => {
    const { events, source, clock } = open([memory()])
    source.record(3)
    await events.list('u')
    expect(source.questions()).toEqual(['probe', '0-3'])
    source.record(1)
    await clock.advance(9_999)
    const reading = await events.read('u', { maxAge: '10s' })
    expect(reading).toMatchObject({ state: 'fresh', reason: 'hit', tier: 'memory', age: 9_999 })
    expect(reading.value).toHaveLength(3)
    expect(source.questions()).toEqual([])
    await clock.advance(1)
    expect(await events.list('u', { maxAge: '10s' })).toHaveLength(4)
    expect(source.questions()).toEqual(['probe', '3-4'])
    expect(await events.list('u')).toHaveLength(4)
    expect(await events.list('u', { maxAge: 0 })).toHaveLength(4)
    expect(source.questions()).toEqual(['probe', 'probe'])
  })

  it('is an answer from the cache: a hit', async () => {
    const { events, source } = open([memory()])
    source.record(1)
    await events.list('u')
    await events.list('u', { maxAge: '1m' })
    expect(await events.stats()).toMatchObject({ requests: 2, hits: 1, misses: 1 })
  })

  it('is asked for where none is stored, or a part of it was invalidated, cleared or belongs to an era that is over', async () => {
    const { events, source, tide } = open([memory()])
    source.record(2)
    expect(await events.list('u', { maxAge: '1h' })).toHaveLength(2)
    expect(source.questions()).toEqual(['probe', '0-2'])
    await events.invalidate('u')
    await events.list('u', { maxAge: '1h' })
    expect(source.questions()).toEqual(['probe', '0-2'])
    await events.clear('u')
    await events.list('u', { maxAge: '1h' })
    expect(source.questions()).toEqual(['probe', '0-2'])
    source.erase(2)
    await events.sync('u')
    const after = await events.list('u', { maxAge: '1h' })
    expect(after).toEqual(source.items)
    source.questions()
    await tide.scope('u').clear()
    await events.list('u', { maxAge: '1h' })
    expect(source.questions()).toEqual(['probe', '0-2'])
  })

  it('shortens nothing that `freshness` allows', async () => {
    const { events, source, clock } = open([memory()], { freshness: ttl('1h') })
    source.record(1)
    await events.list('u')
    await clock.advance('30m')
    await events.list('u', { maxAge: '1s' })
    expect(source.questions()).toEqual(['probe', '0-1'])
  })

  it('outlives a restart', async () => {
    const path = `${folder}/restart.db`
    const first = open([memory(), sqlite({ path })])
    first.source.record(2)
    await first.events.list('u')
    await first.tide.close()
    const second = open([memory(), sqlite({ path })], {}, first.source, first.clock)
    expect(await second.events.read('u', { maxAge: '1m' })).toMatchObject({ reason: 'hit', tier: 'sqlite' })
    expect(first.source.questions()).toEqual(['probe', '0-2'])
  })

  it.for([
    ['a misspelt option', { maxage: 1 }, 'unknown-option'],
    ['a duration that is none', { maxAge: 'soon' }, 'invalid-duration'],
    ['a negative one', { maxAge: -1 }, 'invalid-duration'],
  ] as const)('%s is refused', async ([, options, code]) => {
    const { events, source } = open([memory()])
    const error: unknown = await events.list('u', options as object).catch((it: unknown) => it)
    expect(isTidemarkError(error, code), String(error)).toBe(true)
    expect(source.asked).toEqual([])
  })
})
