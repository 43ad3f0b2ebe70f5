import type { Compression } from '../codec/compression.ts'
import type { Entry } from '../entry.ts'
import { TidemarkError } from '../errors.ts'
import { MESSAGES_MAX, type DerivedKey } from './derived-key.ts'
import { keyIdOf, openEnvelope, sealEnvelope } from './envelope.ts'
import { shownId } from './key-material.ts'
import type { Keyring } from './keyring.ts'
import { at, keyringRequired, parseSecrets, replaced, secretPlaces, type Place } from './places.ts'
import { decodeSecret, encodeSecret, looksSealed, placesOf, sealedValue, type SealedValue } from './sealed-value.ts'
import { Unopened } from './unopened.ts'

/** A key that has sealed half of what it may. */
export interface KeyWear {
  readonly name: string
  readonly keyId: string
  readonly sealed: number
  readonly limit: number
}

/**
 * Seals the secrets of entries on their way out of memory and opens them on their way in. Knows which names have secrets;
 * `purpose` says where an entry lies, so that what is sealed for one place does not open in another.
 */
export class Sealer {
  readonly keyring: Keyring | undefined
  readonly #secrets = new Map<string, readonly Place[]>()
  readonly #worn: (wear: KeyWear) => void

  constructor(keyring: Keyring | undefined, worn: (wear: KeyWear) => void) {
    this.keyring = keyring
    this.#worn = worn
  }

  /** Checks the `secrets` of a construct before it has its name. Errors: `invalid-option`, `keyring-required`. */
  check(secrets: readonly string[] | true | undefined, construct: string, name: unknown): readonly Place[] | undefined {
    if (secrets === undefined) return undefined
    const paths = parseSecrets(secrets, `${construct}.secrets`)
    if (!this.keyring) throw keyringRequired(`The ${construct} ${JSON.stringify(name)} declares \`secrets\`: it`)
    return paths
  }

  /** From now on values of this name are sealed at these paths wherever they leave memory. */
  declare(name: string, paths: readonly Place[] | undefined): void {
    if (paths) this.#secrets.set(name, paths)
  }

  /**
   * The entry as a tier may have it: itself when it holds no secret. `compression`: what the tier does with large values is
   * done with large secrets before they are sealed. Errors: `seal-exhausted`, `invalid-value`.
   */
  seal(entry: Entry, purpose: string, compression?: Compression): Entry {
    const { value } = entry
    const paths = this.#secrets.get(entry.key.name)
    const places = paths === undefined ? NOWHERE : secretPlaces(value, paths)
    if (places.length === 0 && !looksSealed(value)) return entry
    return { ...entry, value: this.#sealAt(places, entry, value, purpose, compression) }
  }

  /** The entry as memory has it, or why it cannot be had. */
  open(entry: Entry, purpose: string): Entry | Unopened {
    const { value } = entry
    const paths = this.#secrets.get(entry.key.name)
    if (!looksSealed(value)) {
      if (paths === undefined || secretPlaces(value, paths).length === 0) return entry
      return new Unopened('clear', entry.key)
    }
    const places = placesOf(value)
    if (!places) return new Unopened('damaged', entry.key)
    if (places.length > 0 && paths === undefined) return new Unopened('undeclared', entry.key)
    const opened = this.#openAt(places, entry, value, purpose)
    if (opened instanceof Unopened || paths === undefined) return opened
    return areSealed(secretPlaces(value.value, paths), places) ? opened : new Unopened('clear', entry.key)
  }

  /** The entry under the active key: itself when it is. */
  reseal(entry: Entry, purpose: string, compression?: Compression): Entry | Unopened {
    const { value, key } = entry
    const paths = this.#secrets.get(key.name) ?? NOWHERE
    if (!looksSealed(value)) return secretPlaces(value, paths).length === 0 ? entry : new Unopened('clear', key)
    const places = placesOf(value)
    if (!places) return new Unopened('damaged', key)
    if (!areSealed(secretPlaces(value.value, paths), places)) return new Unopened('clear', key)
    const active = this.keyring?.activeId
    const ids = places.map((place) => keyIdAt(value, place))
    if (ids.every((id) => id === active)) return entry
    // Also where the name is not declared here: what was secret when it was stored stays so.
    const opened = this.#openAt(places, entry, value, purpose)
    if (opened instanceof Unopened) return opened
    return { ...entry, value: this.#sealAt(places, entry, opened.value, purpose, compression) }
  }

  /**
   * The entry as another place may have it, whatever is declared: what is sealed is sealed there too, and what is declared
   * becomes so. `undefined` is a place in memory, where values lie in the clear. Errors: `seal-exhausted`, `invalid-value`.
   */
  carry(
    entry: Entry,
    from: string | undefined,
    to: string | undefined,
    compression: Compression | undefined,
  ): Entry | Unopened {
    const { value, key } = entry
    const paths = this.#secrets.get(key.name) ?? NOWHERE
    const isSealed = from !== undefined && looksSealed(value)
    if (isSealed && from === to && paths.length === 0) return entry
    const sealed = isSealed ? placesOf(value) : NOWHERE
    if (!sealed) return new Unopened('damaged', key)
    const plain = isSealed ? this.#openAt(sealed, entry, value, from) : entry
    if (plain instanceof Unopened || to === undefined) return plain
    const places = secretPlaces(plain.value, [...sealed, ...paths])
    if (places.length === 0 && !looksSealed(plain.value)) return plain
    return { ...entry, value: this.#sealAt(places, entry, plain.value, to, compression) }
  }

  #sealAt(
    places: readonly Place[],
    entry: Entry,
    value: unknown,
    purpose: string,
    compression?: Compression,
  ): SealedValue {
    const { key } = entry
    if (places.length === 0) return sealedValue(places, value)
    const ring = this.keyring as Keyring
    const derived = ring.derived(ring.activeId, purpose, key.name) as DerivedKey
    let sealed = value
    for (const place of places) {
      this.#count(derived, key.name)
      const plain = encodeSecret(at(value, place), compression)
      const envelope = sealEnvelope(plain, derived.id, derived.secret, aboutOf(entry, place))
      sealed = replaced(sealed, place, envelope.toString('base64'))
    }
    return sealedValue(places, sealed)
  }

  #openAt(places: readonly Place[], entry: Entry, form: SealedValue, purpose: string): Entry | Unopened {
    let { value } = form
    for (const place of places) {
      const envelope = envelopeAt(form, place)
      const id = envelope && keyIdOf(envelope)
      if (id === undefined) return new Unopened('damaged', entry.key)
      const derived = this.keyring?.derived(id, purpose, entry.key.name)
      if (!derived) return new Unopened('unknown-key', entry.key, shownId(id))
      const plain = openEnvelope(envelope as Buffer, id, derived.secret, aboutOf(entry, place))
      const decoded = plain && decodeSecret(plain)
      if (!decoded) return new Unopened('damaged', entry.key)
      value = replaced(value, place, decoded.secret)
    }
    return { ...entry, value }
  }

  /** Warns half way; refuses before chance could bring a nonce twice. */
  #count(derived: DerivedKey, name: string): void {
    if (derived.sealed >= MESSAGES_MAX) {
      const keyId = shownId(derived.id)
      throw new TidemarkError('seal-exhausted', `The key ${keyId} has sealed all it may for ${name}.`, {
        data: { name, keyId },
      })
    }
    derived.sealed++
    if (derived.sealed === MESSAGES_MAX / 2)
      this.#worn({ name, keyId: shownId(derived.id), sealed: derived.sealed, limit: MESSAGES_MAX })
  }
}

const NOWHERE: readonly Place[] = []

/** What a secret belongs to: under another name or key, in another era, in another field it does not open. */
function aboutOf({ key, era }: Entry, place: Place): string {
  return JSON.stringify([key.name, key.id, era ?? null, ...place])
}

function envelopeAt(form: SealedValue, place: Place): Buffer | undefined {
  const text = at(form.value, place)
  if (typeof text !== 'string') return undefined
  const envelope = Buffer.from(text, 'base64')
  // Other texts decode to the same bytes; only one of them is what was written.
  return envelope.toString('base64') === text ? envelope : undefined
}

function keyIdAt(form: SealedValue, place: Place): number | undefined {
  const envelope = envelopeAt(form, place)
  return envelope && keyIdOf(envelope)
}

/** True when every place that must be sealed is, by itself or with what it lies in. */
function areSealed(wanted: readonly Place[], sealed: readonly Place[]): boolean {
  return wanted.every((place) =>
    sealed.some((it) => it.length <= place.length && it.every((part, i) => part === place[i])),
  )
}
