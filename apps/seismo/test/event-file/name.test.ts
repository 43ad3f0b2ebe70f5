import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { eventFileName, parseEventFileName, type EventFileIdentity } from '../../src/event-file/name.ts'
import { NAME_VECTORS } from '../../src/show/name-vectors.ts'

const LAST_MS = Date.UTC(2053, 11, 24, 5, 45, 35)

describe('the name of an event file', () => {
  it.for(NAME_VECTORS)('%s', ([name, identity]) => {
    expect(eventFileName(identity)).toBe(name)
    expect(parseEventFileName(name)).toEqual(identity)
  })

  it.for([
    ['BE6907', 'H907'],
    ['BE11529', 'M529'],
    ['BE14036', 'P036'],
    ['BE17353', 'S353'],
    ['BE18003', 'T003'],
  ] as const)('%s is written %s', ([serial, head]) => {
    expect(eventFileName({ serial, time: '2026-01-01T00:00:00', kind: 'manual' }).slice(0, 4)).toBe(head)
  })

  it('says what was asked for, for any unit and second', () => {
    const identities = fc.record({
      serial: fc.integer({ min: 0, max: 24_999 }).map((number) => `BE${number}`),
      time: fc
        .integer({ min: Date.UTC(1985, 0, 1) / 1000, max: LAST_MS / 1000 })
        .map((seconds) => new Date(seconds * 1000).toISOString().slice(0, 19)),
      kind: fc.constantFrom<EventFileIdentity['kind']>('waveform', 'histogram', 'manual'),
    })
    fc.assert(
      fc.property(identities, (identity) => {
        const name = eventFileName(identity)
        expect(name).toMatch(/^[B-Z]\d{3}[0-9A-Z]{4}\.[0-9A-Z]{2}0[WH]?$/)
        expect(parseEventFileName(name)).toEqual(identity)
      }),
      { numRuns: 2000 },
    )
  })

  it('every name stands for one event: what it says makes it again', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[B-Z]\d{3}[0-9A-Z]{4}\.[0-9A-Z]{2}0[WH]?$/), (name) => {
        expect(eventFileName(parseEventFileName(name))).toBe(name)
      }),
      { numRuns: 2000 },
    )
  })

  it('parts of a second and a zone behind it are not the unit’s', () => {
    for (const time of ['2026-05-01T13:16:34.999', '2026-05-01T13:16:34Z', '2026-05-01T13:16:34.5+02:00'])
      expect(eventFileName({ serial: 'BE11529', time, kind: 'waveform' })).toBe('M529LKIQ.7M0W')
  })

  it.for([
    ['a number past Z', { serial: 'BE25000' }],
    ['another series', { serial: 'UM11529' }],
    ['zeros in front', { serial: 'BE011529' }],
    ['no number', { serial: 'BE' }],
    ['a path', { serial: '../BE11529' }],
    ['before 1985', { time: '1984-12-31T23:59:59' }],
    ['after the last second', { time: '2053-12-24T05:45:36' }],
    ['a day that is none', { time: '2026-02-30T00:00:00' }],
    ['no time', { time: 'yesterday' }],
    ['a date alone', { time: '2026-05-01' }],
    ['another kind', { kind: 'W' as never }],
    ['a kind of every object', { kind: 'toString' as never }],
  ] as const)('%s is refused', ([, wrong]) => {
    const good = { serial: 'BE11529', time: '2026-05-01T13:16:34', kind: 'waveform' } as const
    expect(() => eventFileName({ ...good, ...wrong })).toThrow(
      expect.objectContaining({ code: 'event-file-name' }) as Error,
    )
  })

  it.for([
    '',
    'M529LKIQ',
    'm529LKIQ.7M0W',
    'A529LKIQ.7M0W',
    'M52XLKIQ.7M0W',
    'M529LKIQ.7M1W',
    'M529LKIQ.7M0X',
    'M529LKIQ.7M0WW',
    'M529LKIQ.7M0W\n',
    '/M529LKIQ.7M0W',
  ])('%j is no such name', (name) => {
    expect(() => parseEventFileName(name)).toThrow(expect.objectContaining({ code: 'event-file-name' }) as Error)
  })
})
