// The life of one checked value. Pure: a record, an outcome and the time give the next record.

import { FOREVER } from '../entry.ts'
import { TidemarkError, describe } from '../errors.ts'
import type { HealthState } from '../observe/event.ts'

/** Where each state may lead. A state that stays is no transition. */
export const TRANSITIONS: Readonly<Record<HealthState, readonly HealthState[]>> = {
  unknown: ['checking'],
  checking: ['healthy', 'unhealthy'],
  healthy: ['unhealthy'],
  unhealthy: ['recovering'],
  recovering: ['healthy', 'unhealthy', 'dead'],
  dead: [],
}

/** The states one after the other that lead from one to another, without both; none where no legal way does. */
export function stepsTo(from: HealthState, to: HealthState): HealthState[] {
  const ways: HealthState[][] = [[from]]
  for (const way of ways) {
    const last = way.at(-1) as HealthState
    if (last === to) return way.slice(1, -1)
    for (const next of TRANSITIONS[last]) if (!way.includes(next)) ways.push([...way, next])
  }
  return []
}

/** What is known of one value's health. Stored beside it, so it survives a restart. */
export interface HealthRecord {
  readonly state: HealthState
  /** When it is checked next, milliseconds since 1970; never, when it is dead. */
  readonly nextCheckAt: number
  readonly lastCheckAt: number | undefined
  readonly lastError: string | undefined
  readonly responseMs: number | undefined
  /** In a row. */
  readonly failures: number
  readonly successes: number
  /** Attempts to recover since it was last healthy. */
  readonly recoveries: number
  /** Since it was added; they only grow. */
  readonly checks: number
  readonly checkFailures: number
  /** Failed uses that were reported in a row, with no good check in between. */
  readonly reports: number
}

/** What a check found. */
export interface Outcome {
  readonly ok: boolean
  readonly responseMs: number
  readonly error?: string | undefined
}

/** The part of the options that decides what becomes of a value. Times are milliseconds. */
export interface HealthRules {
  readonly everyMs: number
  readonly unhealthyAfter: number
  readonly healthyAfter: number
  readonly backoff: { readonly baseMs: number; readonly maxMs: number; readonly jitter: number }
  readonly maxRecoveries: number
}

/** Of a value that was just added: due at once. */
export function newRecord(now: number): HealthRecord {
  return {
    state: 'unknown',
    nextCheckAt: now,
    lastCheckAt: undefined,
    lastError: undefined,
    responseMs: undefined,
    failures: 0,
    successes: 0,
    recoveries: 0,
    checks: 0,
    checkFailures: 0,
    reports: 0,
  }
}

/** A stored record as it may be gone on with: a date further off than these rules make is of a clock that was ahead, and is now. */
export function resumed(stored: HealthRecord, now: number, rules: HealthRules): HealthRecord {
  // Older records have fewer fields.
  const record = { ...newRecord(now), ...stored }
  const { everyMs, backoff } = rules
  const latest = now + Math.ceil(Math.max(everyMs, backoff.maxMs) * (1 + backoff.jitter))
  return record.state !== 'dead' && record.nextCheckAt > latest ? { ...record, nextCheckAt: now } : record
}

/** What was known elsewhere, completed, as it may be gone on with. Errors: `invalid-value`. */
export function restored(known: Partial<HealthRecord>, now: number, rules: HealthRules): HealthRecord {
  const record = { ...newRecord(now), ...known }
  if (!Object.hasOwn(TRANSITIONS, record.state))
    throw invalidRecord('state', Object.keys(TRANSITIONS).join(', '), record)
  for (const field of ['failures', 'successes', 'recoveries', 'checks', 'checkFailures', 'reports'] as const) {
    if (!Number.isSafeInteger(record[field]) || record[field] < 0)
      throw invalidRecord(field, 'a whole number from 0', record)
  }
  for (const field of ['nextCheckAt', 'lastCheckAt', 'responseMs'] as const) {
    const value = record[field]
    if (value !== undefined && !(Number.isFinite(value) && value >= 0))
      throw invalidRecord(field, 'a number from 0', record)
  }
  return resumed(record.state === 'dead' ? { ...record, nextCheckAt: FOREVER } : record, now, rules)
}

function invalidRecord(field: keyof HealthRecord, expected: string, record: HealthRecord): TidemarkError {
  const message = `Expected ${field} of a health record to be ${expected}, got ${describe(record[field])}.`
  return new TidemarkError('invalid-value', message)
}

/** What it becomes while its check runs. */
export function begun(record: HealthRecord): HealthRecord {
  if (record.state === 'unknown') return { ...record, state: 'checking' }
  return record.state === 'unhealthy' ? { ...record, state: 'recovering' } : record
}

/** What it becomes when its check has ended. `chance` is from 0 to 1. */
export function ended(
  before: HealthRecord,
  outcome: Outcome,
  now: number,
  rules: HealthRules,
  chance: number,
): HealthRecord {
  const record: HealthRecord = {
    ...before,
    lastCheckAt: now,
    responseMs: outcome.responseMs,
    lastError: outcome.ok ? undefined : (outcome.error ?? 'failed'),
    failures: outcome.ok ? 0 : before.failures + 1,
    successes: outcome.ok ? before.successes + 1 : 0,
    checks: before.checks + 1,
    checkFailures: before.checkFailures + (outcome.ok ? 0 : 1),
    reports: outcome.ok ? 0 : before.reports,
  }
  return outcome.ok ? succeeded(record, now, rules, chance) : failed(record, now, rules, chance)
}

function succeeded(record: HealthRecord, now: number, rules: HealthRules, chance: number): HealthRecord {
  const again = { ...record, nextCheckAt: now + within(rules.everyMs, rules, chance) }
  if (record.state === 'recovering') {
    if (record.successes >= rules.healthyAfter) return { ...again, state: 'healthy', recoveries: 0 }
    // Nearly back: the next look comes as soon as the first step of the way back would.
    return { ...again, nextCheckAt: now + within(Math.min(rules.everyMs, rules.backoff.baseMs), rules, chance) }
  }
  return { ...again, state: 'healthy', recoveries: 0 }
}

function failed(record: HealthRecord, now: number, rules: HealthRules, chance: number): HealthRecord {
  if (record.state === 'recovering') {
    const recoveries = record.recoveries + 1
    if (recoveries >= rules.maxRecoveries) return { ...record, state: 'dead', recoveries, nextCheckAt: FOREVER }
    return { ...record, state: 'unhealthy', recoveries, nextCheckAt: now + cooldownMs(recoveries, rules, chance) }
  }
  if (record.failures < rules.unhealthyAfter) {
    return { ...record, nextCheckAt: now + within(rules.everyMs, rules, chance) }
  }
  return { ...record, state: 'unhealthy', nextCheckAt: now + cooldownMs(record.recoveries, rules, chance) }
}

/** base · 2ⁿ, at most `maxMs`. */
function cooldownMs(recoveries: number, rules: HealthRules, chance: number): number {
  const { baseMs, maxMs } = rules.backoff
  return jittered(Math.min(baseMs * 2 ** Math.min(recoveries, 40), maxMs), rules, chance)
}

/** Up to `jitter` of it sooner, never later: a value that went bad is found within `every`. */
function within(ms: number, rules: HealthRules, chance: number): number {
  return Math.max(1, Math.round(ms * (1 - rules.backoff.jitter * chance)))
}

/** Moved by up to `jitter` of it in either direction, so that a thousand checks are not due in one moment. */
function jittered(ms: number, rules: HealthRules, chance: number): number {
  return Math.max(1, Math.round(ms * (1 + rules.backoff.jitter * (chance * 2 - 1))))
}
