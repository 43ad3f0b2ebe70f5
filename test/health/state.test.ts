import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { Agenda } from '../../src/health/agenda.ts'
import { Pool } from '../../src/health/pool.ts'
import { TRANSITIONS, begun, ended, newRecord, type HealthRecord, type HealthRules } from '../../src/health/state.ts'

const rules: fc.Arbitrary<HealthRules> = fc.record({
  everyMs: fc.integer({ min: 1000, max: 600_000 }),
  unhealthyAfter: fc.integer({ min: 1, max: 5 }),
  healthyAfter: fc.integer({ min: 1, max: 4 }),
  backoff: fc.record({
    baseMs: fc.integer({ min: 100, max: 60_000 }),
    maxMs: fc.integer({ min: 60_000, max: 3_600_000 }),
    jitter: fc.double({ min: 0, max: 0.9, noNaN: true }),
  }),
  maxRecoveries: fc.integer({ min: 1, max: 6 }),
})

/** What happens to a value: its check, how late it comes and how it ends, or a restart. */
const step = fc.oneof(
  fc.record({
    what: fc.constant('check' as const),
    ok: fc.boolean(),
    // The clock may also stand still or be far ahead.
    lateMs: fc.integer({ min: 0, max: 10_000_000 }),
    chance: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  fc.record({ what: fc.constant('restart' as const) }),
)

it('only legal transitions, totals only grow, dates lie ahead, dead is dead', () => {
  fc.assert(
    fc.property(rules, fc.array(step, { maxLength: 60 }), (the, steps) => {
      let now = 1_000_000
      let record: HealthRecord = newRecord(now)
      const become = (next: HealthRecord): void => {
        if (next.state !== record.state) expect(TRANSITIONS[record.state]).toContain(next.state)
        expect(next.checks).toBeGreaterThanOrEqual(record.checks)
        expect(next.checkFailures).toBeGreaterThanOrEqual(record.checkFailures)
        expect(next.checkFailures).toBeLessThanOrEqual(next.checks)
        record = next
      }
      for (const it of steps) {
        if (record.state === 'dead') break
        if (it.what === 'restart') {
          become(JSON.parse(JSON.stringify(record)) as HealthRecord)
          continue
        }
        now = Math.max(now, record.nextCheckAt) + it.lateMs
        become(begun(record))
        become(ended(record, { ok: it.ok, responseMs: 5 }, now, the, it.chance))
        expect(record.nextCheckAt).toBeGreaterThan(now)
        if (record.state === 'healthy') expect(record.nextCheckAt).toBeLessThanOrEqual(now + the.everyMs)
      }
    }),
  )
})

it('counts by state always sum to the total', () => {
  const states = ['unknown', 'checking', 'healthy', 'unhealthy', 'recovering', 'dead'] as const
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 20 }), fc.constantFrom(...states, undefined))), (moves) => {
      const pool = new Pool()
      const known = new Map<number, (typeof states)[number]>()
      for (const [id, to] of moves) {
        pool.move(known.get(id), to)
        if (to === undefined) known.delete(id)
        else known.set(id, to)
        expect(pool.total).toBe(known.size)
        for (const state of states) {
          expect(pool.counts[state]).toBe([...known.values()].filter((it_) => it_ === state).length)
        }
      }
    }),
  )
})

it('the agenda gives who is due, earliest first, each once', () => {
  const change = fc.tuple(
    fc.integer({ min: 0, max: 30 }),
    fc.option(fc.integer({ min: 0, max: 1000 }), { nil: undefined }),
  )
  fc.assert(
    fc.property(fc.array(change, { maxLength: 200 }), fc.integer({ min: 0, max: 1000 }), (changes, now) => {
      const agenda = new Agenda()
      const dates = new Map<string, number>()
      for (const [id, at] of changes) {
        if (at === undefined) agenda.delete(`${id}`)
        else agenda.set(`${id}`, at)
        if (at === undefined) dates.delete(`${id}`)
        else dates.set(`${id}`, at)
      }
      expect(agenda.size).toBe(dates.size)
      const taken: string[] = []
      for (let id = agenda.takeDue(now); id !== undefined; id = agenda.takeDue(now)) taken.push(id)
      const due = [...dates].filter(([, at]) => at <= now)
      expect(taken.map((id) => dates.get(id))).toEqual(due.map(([, at]) => at).toSorted((a, b) => a - b))
      expect(taken.toSorted()).toEqual(due.map(([id]) => id).toSorted())
      expect(agenda.nextAt).toBe(Math.min(Number.POSITIVE_INFINITY, ...[...dates.values()].filter((at) => at > now)))
    }),
  )
})
