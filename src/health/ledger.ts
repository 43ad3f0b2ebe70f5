import { FOREVER, type Entry } from '../entry.ts'
import type { Key } from '../key.ts'
import type { Stack } from '../stack/stack.ts'
import type { HealthState } from '../observe/event.ts'
import type { HealthRecord } from './state.ts'

/** One check that was made. */
export interface CheckEntry {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly state: HealthState
  readonly ok: boolean
  readonly responseMs: number
  readonly error?: string | undefined
}

/** At most so many checks are remembered of one value, however often it is checked. */
const CHECKS_MAX = 2000

/** Where health is stored: beside the values, under `name#health` and `name#checks`, in the same scopes. */
export class Ledger {
  readonly #name: string
  readonly #stack: Stack

  constructor(name: string, stack: Stack) {
    this.#name = name
    this.#stack = stack
  }

  /** Every value that is stored, with the scope it is in. */
  async *values(): AsyncIterable<{ readonly id: string; readonly scope: string | undefined }> {
    for await (const { key, scope } of this.#stack.keys({ kind: 'name', name: this.#name })) yield { id: key.id, scope }
  }

  async value(id: string): Promise<Entry | undefined> {
    return this.#stack.get({ name: this.#name, id })
  }

  async record(id: string): Promise<HealthRecord | undefined> {
    return (await this.#stack.get({ name: `${this.#name}#health`, id }))?.value as HealthRecord | undefined
  }

  /** `until`: no longer than the value itself is kept. */
  async write(id: string, scope: string | undefined, record: HealthRecord, now: number, until: number): Promise<void> {
    await this.#put(`${this.#name}#health`, id, scope, record, now, until)
  }

  async checks(id: string): Promise<readonly CheckEntry[]> {
    return ((await this.#stack.get({ name: `${this.#name}#checks`, id }))?.value as CheckEntry[] | undefined) ?? []
  }

  /** Adds a check and forgets those older than `keepMs`. */
  async append(id: string, scope: string | undefined, check: CheckEntry, keepMs: number): Promise<void> {
    const kept = (await this.checks(id)).filter((it) => it.at > check.at - keepMs)
    await this.#put(`${this.#name}#checks`, id, scope, [...kept, check].slice(-CHECKS_MAX), check.at, check.at + keepMs)
  }

  /** Forgets the health of a value, and with `value` the value too, in every tier. */
  async remove(id: string, value: boolean): Promise<void> {
    const names = [`${this.#name}#health`, `${this.#name}#checks`, ...(value ? [this.#name] : [])]
    await Promise.all(names.map(async (name) => this.#stack.remove({ kind: 'key', key: { name, id } })))
  }

  async wasDegraded(): Promise<boolean> {
    return (await this.#stack.get(this.#poolKey))?.value === true
  }

  /** So that a pool between the two limits is after a restart what it was before. */
  async writeDegraded(isDegraded: boolean): Promise<void> {
    const key = this.#poolKey
    if (isDegraded) await this.#put(key.name, key.id, undefined, true, 0, FOREVER)
    else await this.#stack.remove({ kind: 'key', key })
  }

  get #poolKey(): Key {
    return { name: `${this.#name}#pool`, id: 'degraded' }
  }

  async #put(
    name: string,
    id: string,
    scope: string | undefined,
    value: unknown,
    loadedAt: number,
    until: number,
  ): Promise<void> {
    const times = { freshUntil: until, staleUntil: until, errorUntil: until, keepUntil: until }
    await this.#stack.put({ key: { name, id }, value, loadedAt, ...times, scope })
  }
}
