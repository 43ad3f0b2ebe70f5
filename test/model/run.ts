// Runs one schedule and checks every answer against the oracle.

import assert from 'node:assert/strict'
import type { Reading } from 'tidemark'
import { lowest, Oracle, type Reader, type Severity, type Versioned } from './oracle.ts'
import {
  hasToldAll,
  isSourceFailure,
  Process,
  scopeOf,
  STALE_IF_ERROR_MS,
  STALE_WHILE_REVALIDATE_MS,
  tagOf,
  TTL_MS,
  type HeldLoad,
} from './process.ts'
import { Place, type StackKind } from './stacks.ts'
import { KEYS, UNITS, type Step } from './steps.ts'
import { VirtualTime } from './virtual-time.ts'

/** Within so long processes that look from time to time have seen every change that was delivered. */
const LAG_MS = 500
/** Longer than any pause between two probes, and enough of them. */
const RECOVERED_WITHIN_MS = 180_000
const CALLS_END_WITHIN_MS = 60_000

/** One schedule, to be run over one stack. */
export interface Schedule {
  readonly kind: StackKind
  readonly folder: string
  readonly coherence: 'strict' | 'eventual'
  readonly seed: number
  readonly steps: readonly Step[]
}

/** Runs a schedule; throws when a property does not hold. */
export async function run(schedule: Schedule): Promise<void> {
  const rejections: unknown[] = []
  const rejected = (reason: unknown): void => void rejections.push(reason)
  process.on('unhandledRejection', rejected)
  const time = new VirtualTime(schedule.seed)
  time.install()
  try {
    const world = new World(schedule, time)
    for (const step of schedule.steps) await world.take(step)
    await world.end()
    assert.equal(time.clock.timers, 0, 'timers that are left')
    assert.deepEqual(rejections, [], 'rejections nobody handled')
  } finally {
    time.uninstall()
    process.off('unhandledRejection', rejected)
  }
}

/** A change that has not resolved. */
interface Pending {
  readonly by: Process
  readonly keys: readonly string[]
  readonly isSet: boolean
}

class World {
  readonly #schedule: Schedule
  readonly #time: VirtualTime
  readonly #oracle = new Oracle()
  readonly #held: HeldLoad[] = []
  readonly #processes: Process[]
  readonly #place: Place
  readonly #calls = new Set<Promise<unknown>>()
  readonly #changing = new Set<Pending>()
  /** Lines that are in trouble, or were and are not known to be well again, by process. */
  readonly #troubled = new Map<Process, Set<number>>()
  /** Processes whose lines are all open. */
  readonly #healed = new Set<Process>()
  /** Calls for waves that have not resolved. */
  #waving = 0
  readonly #failures: unknown[] = []

  constructor(schedule: Schedule, time: VirtualTime) {
    this.#schedule = schedule
    this.#time = time
    this.#place = new Place(schedule.kind, schedule.folder)
    const { coherence } = schedule
    const common = { place: this.#place, time, oracle: this.#oracle, coherence, held: this.#held }
    this.#processes = Array.from({ length: schedule.kind.processes }, (_, i) => new Process(i, common))
  }

  async take(step: Step): Promise<void> {
    const process = this.#processes['by' in step ? step.by % this.#processes.length : 0] as Process
    switch (step.do) {
      case 'read':
      case 'refresh':
        this.#read(process, step.key, step.do === 'refresh')
        break
      case 'change':
        this.#change(process, step.what, step.key)
        break
      case 'drift':
        // Nobody is told; readers learn of it when what they have is no longer fresh. A set on its way would be older.
        if (!this.#isChanging([step.key])) this.#oracle.change(step.key)
        break
      case 'source':
        process.source = step.is
        break
      case 'release':
        this.#held.splice(step.load, 1)[0]?.end(step.fails)
        break
      case 'wait':
        // What is under way and needs no time is not late.
        await this.#time.turns(12)
        await this.#time.clock.advance(step.ms)
        break
      case 'fault':
      case 'cut':
      case 'heal':
        this.#trouble(process, step)
        break
      case 'empty':
        this.#place.server.empty()
        // What was written down there for a tier in trouble is lost as well.
        for (const [{ lines }, troubled] of this.#troubled) troubled.add(lines.length - 1)
        break
      case 'restart':
        await this.#restart(process)
        break
      case 'wave':
        this.#wave(process, step.unit, step.index, false)
        break
      case 'erase':
        this.#erase(process, step)
    }
    await this.#time.turns(step.turns)
    await this.#observe()
    if (this.#failures.length > 0) throw this.#failures[0]
  }

  /** All trouble ends: all calls resolve, all tiers come back, all processes agree, the counts add up, nothing is left. */
  async end(): Promise<void> {
    for (const process of this.#processes) process.source = 'up'
    for (const process of this.#processes) for (const line of process.lines) line.heal()
    for (const process of this.#processes) this.#healed.add(process)
    for (const load of this.#held.splice(0)) load.end(false)
    await this.#until(() => this.#calls.size === 0, CALLS_END_WITHIN_MS, 'calls that never resolve')
    await this.#until(() => this.#isWell(), RECOVERED_WITHIN_MS, 'tiers that do not come back')
    await this.#time.clock.advance(LAG_MS * 2)
    await this.#observe()
    for (const process of this.#processes) {
      for (const key of KEYS) this.#read(process, key, false)
      for (const unit of UNITS) for (const index of [0, 1, 2]) this.#wave(process, unit, index, false)
    }
    await this.#until(() => this.#calls.size === 0, CALLS_END_WITHIN_MS, 'calls that never resolve')
    for (const process of this.#processes) await this.#addsUp(process)
    await this.#until(
      async () => {
        const stats = await Promise.all(this.#processes.map(({ tide }) => tide.stats()))
        return stats.every(({ loading }) => loading === 0)
      },
      CALLS_END_WITHIN_MS,
      'loads that never end',
    )
    await this.#finish(Promise.all(this.#processes.map(({ tide }) => tide.close())))
    if (this.#failures.length > 0) throw this.#failures[0]
  }

  #read(process: Process, key: string, isRefresh: boolean): void {
    const { clock } = this.#time
    const startedAt = clock.now()
    const reader = this.#readerOf(process)
    const floors = this.#oracle.binding(key, reader, startedAt)
    const { version: current } = this.#oracle.valueOf(key)
    const fresh = lowest(floors)
    const gone = lowest(floors, 'gone')
    const who = `process ${process.index} reads ${key}${isRefresh ? ' anew' : ''} at ${startedAt % 1e7}`
    process.reads++
    const peeked = process.users.peek(key)
    const own = lowest(this.#oracle.binding(key, { ...reader, hearsSince: undefined }, startedAt))
    if (peeked && own) this.#check(() => assert.ok(peeked.version >= own.version, `${who}: peek`))
    const check = (reading: Reading<Versioned>): void => {
      const { value, state, age } = reading
      const what = `${who}: ${JSON.stringify(reading)}; gone ${JSON.stringify(gone)}; not fresh ${JSON.stringify(fresh)}`
      assert.equal(value.of, key, what)
      assert.ok(value.version <= this.#oracle.valueOf(key).version, what)
      if (isRefresh && reading.reason === 'loaded') assert.ok(value.version >= current, what)
      if (gone) assert.ok(value.version >= gone.version, what)
      if (state === 'fresh' && fresh) assert.ok(value.version >= fresh.version, what)
      const windowMs = Math.max(STALE_WHILE_REVALIDATE_MS, STALE_IF_ERROR_MS)
      assert.ok(age < (state === 'fresh' ? TTL_MS : TTL_MS + windowMs), what)
      if (state !== 'stale') return
      for (const floor of floors.filter((it) => it.severity === 'stale' && it.version > value.version))
        assert.ok(clock.now() - floor.resolvedAt < windowMs, what)
    }
    const isEnded = this.#ended(process)
    this.#call(
      process.users.read(key, isRefresh ? { refresh: true } : {}).then(check, (error: unknown) => {
        if (!isSourceFailure(error) && !isEnded()) throw error
      }),
    )
  }

  #change(process: Process, what: Extract<Step, { do: 'change' }>['what'], key: string): void {
    const { tide, users } = process
    const isSet = what === 'set'
    const concerned = {
      key: [key],
      scope: KEYS.filter((it) => scopeOf(it) === scopeOf(key)),
      tag: KEYS.filter((it) => tagOf(it) === tagOf(key)),
      all: [...KEYS],
    }
    const of = <T>(keys: readonly string[], severity: Severity, call: () => Promise<T>) => ({ keys, severity, call })
    const change = {
      set: () => of(concerned.key, 'gone', () => users.set(key, this.#oracle.valueOf(key))),
      delete: () => of(concerned.key, 'gone', () => users.delete(key)),
      invalidate: () => of(concerned.key, 'stale', () => users.invalidate(key)),
      clear: () => of(concerned.all, 'gone', () => users.clear()),
      'clear-scope': () => of(concerned.scope, 'gone', () => tide.scope(scopeOf(key)).clear()),
      'invalidate-scope': () => of(concerned.scope, 'stale', () => tide.scope(scopeOf(key)).invalidate()),
      'invalidate-tag': () => of(concerned.tag, 'stale', () => tide.invalidateTag(tagOf(key))),
      'delete-tag': () => of(concerned.tag, 'gone', () => tide.deleteTag(tagOf(key))),
      'clear-everything': () => of(concerned.all, 'gone', () => tide.clear()),
    }[what]()
    // Of a set and another change at the same time nobody knows which comes last.
    if (this.#isChanging(change.keys, isSet)) return
    const pending: Pending = { by: process, keys: change.keys, isSet }
    this.#changing.add(pending)
    const versions = change.keys.map((it) => this.#oracle.change(it))
    const isEnded = this.#ended(process)
    this.#call(
      change.call().then(
        () => {
          this.#changing.delete(pending)
          this.#oracle.resolved(versions, process.index, change.severity, this.#time.clock.now())
        },
        (error: unknown) => {
          this.#changing.delete(pending)
          if (!isEnded()) throw error
        },
      ),
    )
  }

  #isChanging(keys: readonly string[], isSet = true): boolean {
    return [...this.#changing].some((it) => (isSet || it.isSet) && it.keys.some((key) => keys.includes(key)))
  }

  #wave(process: Process, unit: string, index: number, isDiscovery: boolean): void {
    const { clock } = this.#time
    const floor = lowest(this.#oracle.binding(unit, this.#readerOf(process), clock.now()))
    const who = `process ${process.index} reads wave ${unit} ${index} at ${clock.now() % 1e7}`
    const eras = process.eras.get(unit)
    const isEnded = this.#ended(process)
    this.#waving++
    this.#call(
      process.waves.get([unit, index], { refresh: isDiscovery }).then(
        (value) => {
          this.#waving--
          const what = `${who}: ${JSON.stringify(value)}, not older than ${JSON.stringify(floor)}`
          assert.equal(value.of, unit, what)
          if (floor) assert.ok(value.version >= floor.version, what)
          // It was noticed that the unit began anew: all that is older is gone.
          if (isDiscovery && process.eras.get(unit) !== eras)
            this.#oracle.resolved([value], process.index, 'gone', clock.now())
        },
        (error: unknown) => {
          this.#waving--
          if (!isEnded()) throw error
        },
      ),
    )
  }

  /** A unit's memory is erased, and its keys are used again. */
  #erase(process: Process, { how, unit, index }: Extract<Step, { do: 'erase' }>): void {
    // Of two loads at the same time, one from before and one from after, nobody knows which ends last.
    if (this.#waving > 0 || this.#isChanging([unit])) return
    const value = this.#oracle.change(unit)
    if (how === 'discovered') return this.#wave(process, unit, index, true)
    const pending: Pending = { by: process, keys: [unit], isSet: true }
    const isEnded = this.#ended(process)
    this.#changing.add(pending)
    this.#call(
      process.tide
        .era('era')
        .renew(unit)
        .then(
          () => {
            this.#changing.delete(pending)
            this.#oracle.resolved([value], process.index, 'gone', this.#time.clock.now())
          },
          (error: unknown) => {
            this.#changing.delete(pending)
            if (!isEnded()) throw error
          },
        ),
    )
  }

  #trouble(process: Process, step: Extract<Step, { do: 'fault' | 'cut' | 'heal' }>): void {
    if (step.do === 'heal') {
      for (const line of process.lines) line.heal()
      this.#healed.add(process)
      return
    }
    const at = step.line % Math.max(1, process.lines.length)
    const line = process.lines[at]
    if (!line) return
    this.#healed.delete(process)
    const lines = this.#troubled.get(process) ?? new Set()
    this.#troubled.set(process, lines.add(at))
    if (step.do === 'cut') line.cut(step.state)
    else line.fault(step.operation, step.kind, step.times)
  }

  async #restart(process: Process): Promise<void> {
    // What was journaled in its memory alone is lost with it, as documented; two persistent tiers write down for each other
    // what one of them missed.
    const { lines, failedTiers } = process
    const isWrittenDown = lines.length === 2 && this.#troubled.get(process)?.size === 1 && failedTiers.size <= 1
    const mayMissSome = this.#troubled.has(process) && [...this.#changing].some(({ by }) => by === process)
    if ((mayMissSome || !hasToldAll(await process.statuses())) && !isWrittenDown) return
    process.isClosing = true
    await this.#finish(process.tide.close())
    process.start()
    this.#healed.add(process)
    // The new one is told what was written down before it answers.
    await this.#finish(process.users.stored('what is in no tier'))
  }

  /** Tells whether the process was closed since, or is being closed. */
  #ended(process: Process): () => boolean {
    const { tide } = process
    return () => process.isClosing || process.tide !== tide
  }

  #readerOf(process: Process): Reader {
    const { index, hearsSince } = process
    const isStrict = this.#schedule.coherence === 'strict'
    return { process: index, hearsSince, lagMs: isStrict ? 0 : LAG_MS }
  }

  async #observe(): Promise<void> {
    for (const process of this.#processes) {
      const statuses = await process.statuses()
      process.observe(statuses, !this.#troubled.has(process) || this.#healed.has(process))
      if (process.hearsSince !== undefined) this.#troubled.delete(process)
      if (hasToldAll(statuses)) this.#oracle.delivered(process.index, this.#time.clock.now())
    }
  }

  async #isWell(): Promise<boolean> {
    await this.#observe()
    return this.#processes.every(({ hearsSince }) => hearsSince !== undefined)
  }

  async #addsUp(process: Process): Promise<void> {
    const { requests, hits, misses, hitsByTier } = await process.users.stats()
    const what = `counts of process ${process.index}`
    assert.equal(requests, process.reads, what)
    assert.equal(hits + misses, requests, what)
    const byTier = Object.values(hitsByTier).reduce((sum, n) => sum + n, 0)
    assert.equal(byTier, hits, what)
  }

  #call(call: Promise<unknown>): void {
    const done = call.catch((error: unknown) => void this.#failures.push(error)).finally(() => this.#calls.delete(done))
    this.#calls.add(done)
  }

  #check(holds: () => void): void {
    try {
      holds()
    } catch (error) {
      this.#failures.push(error)
    }
  }

  /** Lets time pass until something holds. */
  async #until(holds: () => boolean | Promise<boolean>, withinMs: number, otherwise: string): Promise<void> {
    const giveUpAt = this.#time.clock.now() + withinMs
    await this.#time.turns(4)
    for (let stepMs = 1; !(await holds()); stepMs = Math.min(stepMs * 2, 1_000)) {
      if (this.#failures.length > 0) throw this.#failures[0]
      if (this.#time.clock.now() > giveUpAt) throw new Error(`There are ${otherwise}.`)
      await this.#time.clock.advance(stepMs)
    }
  }

  async #finish(work: Promise<unknown>): Promise<void> {
    let isDone = false
    const done = work.finally(() => (isDone = true))
    await Promise.all([done, this.#until(() => isDone, CALLS_END_WITHIN_MS, 'closes that never resolve')])
  }
}
