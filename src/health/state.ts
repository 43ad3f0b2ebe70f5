// The life of one checked value. Pure: a record, an outcome and the time give the next record.

import { FOREVER } from '../entry.ts'
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
  }
}

/** A stored record as it may be gone on with: a date further off than these rules make is of a clock that was ahead, and is now. */
export function resumed(record: HealthRecord, now: number, rules: HealthRules): HealthRecord {
  const { everyMs, backoff } = rules
  const latest = now + Math.ceil(Math.max(everyMs, backoff.maxMs) * (1 + backoff.jitter))
  return record.state !== 'dead' && record.nextCheckAt > latest ? { ...record, nextCheckAt: now } : record
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
