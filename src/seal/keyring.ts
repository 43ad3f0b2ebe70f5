import type { KeyObject } from 'node:crypto'
import { TidemarkError, refuseUnknown } from '../errors.ts'
import { DerivedKey } from './derived-key.ts'
import { masterKey, shownId, type MasterKey } from './key-material.ts'
import { keysOfEnv, keysOfFile, type KeyringKeys } from './key-text.ts'

/** One key of a keyring, without the key. */
export interface KeyringKey {
  readonly label: string
  /** Taken from the key, so that a message about it can name it: the same wherever the key is. */
  readonly id: string
  /** New secrets are sealed under it; the others open older ones. */
  readonly isActive: boolean
}

/** How keyrings are made. */
export interface KeyringFactory {
  /** Of keys that are here. Errors: `invalid-option`, `unknown-option`. */
  (keys: KeyringKeys): Keyring
  /** From an environment variable. Errors: `keyring-unreadable`, `invalid-option`. */
  fromEnv(variable: string): Keyring
  /** From a file that nobody but its owner may read. Errors: `keyring-unreadable`, `invalid-option`. */
  fromFile(path: string): Keyring
  /** From whatever a function asks: once now, and again by `refresh()`. Rejects with what the function throws; `invalid-option`. */
  fromService(ask: () => KeyringKeys | Promise<KeyringKeys>): Promise<Keyring>
}

/**
 * The keys secrets are sealed under, by label: one is active, the others open what was sealed before. A key is 32 bytes, as
 * they are or as base64 or hex, or `{ passphrase, salt }`.
 *
 * @example
 * keyring({ active: '2026-10', keys: { '2026-10': newKey, '2025-03': oldKey } })
 * keyring.fromEnv('TIDEMARK_KEYS')       // 2026-10=<base64>,2025-03=<base64>; the first is active
 * keyring.fromFile('/etc/tidemark.keys') // the same, one a line; readable by its owner only
 * await keyring.fromService(async () => ({ active: 'kms-7', keys: await unwrapKeys() }))
 */
export const keyring: KeyringFactory = Object.assign((keys: KeyringKeys) => new Keyring(keys, undefined), {
  fromEnv: (variable: string) => new Keyring(keysOfEnv(variable), () => keysOfEnv(variable)),
  fromFile: (path: string) => new Keyring(keysOfFile(path), () => keysOfFile(path)),
  fromService: async (ask: () => KeyringKeys | Promise<KeyringKeys>) => new Keyring(await ask(), ask),
})

/** See {@link keyring}. Shows no key, however it is printed. */
export class Keyring {
  #active: MasterKey
  #masters: ReadonlyMap<number, MasterKey>
  readonly #ask: (() => KeyringKeys | Promise<KeyringKeys>) | undefined
  #asked = 0
  #taken = 0
  readonly #derived = new Map<string, DerivedKey>()
  /** What passphrases became: that takes a while. */
  readonly #stretched = new Map<string, KeyObject>()

  /** Use {@link keyring}. */
  constructor(keys: KeyringKeys, ask: (() => KeyringKeys | Promise<KeyringKeys>) | undefined) {
    const { active, masters } = resolveKeys(keys, this.#stretched)
    this.#active = active
    this.#masters = masters
    this.#ask = ask
  }

  /** What keys there are, the active one first. */
  get keys(): readonly KeyringKey[] {
    const others = [...this.#masters.values()].filter((it) => it !== this.#active)
    return [this.#active, ...others].map((it) => ({
      label: it.label,
      id: shownId(it.id),
      isActive: it === this.#active,
    }))
  }

  /** The id of the key that new secrets are sealed under. */
  get activeId(): number {
    return this.#active.id
  }

  /**
   * Reads the keys again from where they came from, and takes them in place of those it had; when that fails it keeps
   * them. A keyring whose keys were given directly stays as it is. Errors: `keyring-unreadable`, `invalid-option`.
   */
  async refresh(): Promise<void> {
    if (!this.#ask) return
    const turn = ++this.#asked
    const keys = await this.#ask()
    // An answer that was overtaken by a later one would bring back keys that have gone.
    if (turn < this.#taken) return
    const { active, masters } = resolveKeys(keys, this.#stretched)
    this.#taken = turn
    this.#active = active
    this.#masters = masters
  }

  /** The key for one purpose under one name, derived from the key of this id; `undefined` when there is no such key. */
  derived(id: number, purpose: string, name: string): DerivedKey | undefined {
    const master = this.#masters.get(id)
    if (!master) return undefined
    // A name has no NUL, so no two of them meet.
    const at = `${id}\0${name}\0${purpose}`
    let derived = this.#derived.get(at)
    if (!derived) this.#derived.set(at, (derived = new DerivedKey(master, purpose, name)))
    return derived
  }
}

function resolveKeys(
  given: KeyringKeys,
  stretched: Map<string, KeyObject>,
): { active: MasterKey; masters: ReadonlyMap<number, MasterKey> } {
  refuseUnknown('keyring()', given, ['active', 'keys'])
  const { active, keys } = given
  if (typeof keys !== 'object' || keys === null || Array.isArray(keys))
    throw refused('Expected `keyring.keys` to be an object of keys by label.')
  const masters = new Map<number, MasterKey>()
  for (const [label, material] of Object.entries(keys)) {
    const master = masterKey(label, material, stretched)
    const same = masters.get(master.id)
    if (same) throw refused(`The keys ${same.label} and ${label} are the same key.`)
    masters.set(master.id, master)
  }
  const chosen = [...masters.values()].find(({ label }) => label === active)
  if (!chosen) throw refused(`Expected \`keyring.active\` to be the label of one of the ${masters.size} keys.`)
  return { active: chosen, masters }
}

function refused(message: string): TidemarkError {
  return new TidemarkError('invalid-option', message, { data: { option: 'keyring' } })
}
