// What is sealed opens under the same key and for the same place, and for nothing else, whatever bit of it is changed.

import assert from 'node:assert/strict'
import { createDecipheriv, createSecretKey, hkdfSync, randomBytes } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { keyring } from 'tidemark/seal'
import type { Entry } from '../../src/entry.ts'
import { MESSAGES_MAX, type DerivedKey } from '../../src/seal/derived-key.ts'
import { keyIdOf, openEnvelope, sealEnvelope } from '../../src/seal/envelope.ts'
import { Sealer, type KeyWear } from '../../src/seal/sealer.ts'
import { Unopened } from '../../src/seal/unopened.ts'
import { storable, text } from '../codec/storable.ts'
import { entryOf } from '../../src/testing/tier-cases/case.ts'
import { FakeClock } from 'tidemark/testing'

const clock = new FakeClock()
const fieldName = text.filter((it) => it !== '' && !/[.*]/.test(it))
const key = randomBytes(32)
const ring = keyring({ active: 'a', keys: { a: key } })
const sealerOf = (secrets: readonly string[] | true, keys = ring): Sealer => {
  const sealer = new Sealer(keys, () => {})
  sealer.declare('things', sealer.check(secrets, 'resource', 'things'))
  return sealer
}
const whole = sealerOf(true)
const entry = (value: unknown, more: Partial<Entry> = {}): Entry => entryOf(clock, 'things', 'k', value, more)
/** The envelope of a value that is sealed as a whole. */
const envelopeOf = (sealed: Entry): string => (sealed.value as { value: string }).value
const reasonOf = (opened: Entry | Unopened): string => (opened instanceof Unopened ? opened.reason : 'opened')

describe('any value', () => {
  it('that can be stored seals and opens, as a whole and as a field', () => {
    const field = sealerOf(['a.secret'])
    fc.assert(
      fc.property(storable, (value) => {
        const opened = whole.open(whole.seal(entry(value), 'tier/x'), 'tier/x')
        assert.deepStrictEqual((opened as Entry).value, value)
        const inside = { before: 1, a: { secret: value, other: [value] }, after: null }
        const again = field.open(field.seal(entry(inside), 'tier/x'), 'tier/x')
        assert.deepStrictEqual((again as Entry).value, inside)
      }),
    )
  })

  it('keeps the order of its properties, and the one that was given is not touched', () => {
    const value = Object.freeze({ z: 1, password: 'p', a: Object.freeze({ token: 't', b: 2 }) })
    const sealer = sealerOf(['password', 'a.token'])
    const sealed = sealer.seal(entry(value), 'x')
    expect(JSON.stringify(sealed.value)).not.toMatch(/"p"|"t"/)
    expect(JSON.stringify((sealer.open(sealed, 'x') as Entry).value)).toBe(JSON.stringify(value))
  })

  it('that only looks sealed comes back as it was, with secrets declared and without', () => {
    const plain = new Sealer(undefined, () => {})
    for (const value of [{ $sealed: [], value: 1 }, { $sealed: [['x']], value: { x: 'VFMBAQ==' } }, { $sealed: 1 }]) {
      for (const sealer of [plain, sealerOf(['password'])]) {
        const stored = sealer.seal(entry(value), 'x')
        expect((sealer.open(stored, 'x') as Entry).value).toEqual(value)
      }
    }
  })
})

describe('an envelope', () => {
  it('is what the page says: magic, version, algorithm, key id, nonce, ciphertext, tag', () => {
    const sealed = whole.seal(entry('hunter2', { era: 'e' }), 'tier/sqlite')
    const bytes = Buffer.from(envelopeOf(sealed), 'base64')
    expect(bytes.subarray(0, 4)).toEqual(Buffer.from([0x54, 0x53, 1, 1]))
    expect(bytes.toString('hex', 4, 8)).toBe(ring.keys[0]?.id)
    // By hand, with nothing of ours but the text of the page.
    const info = `tidemark/seal/1 ${JSON.stringify(['tier/sqlite', 'things'])}`
    const derived = Buffer.from(hkdfSync('sha256', key, '', info, 32))
    const decipher = createDecipheriv('aes-256-gcm', createSecretKey(derived), bytes.subarray(8, 20))
    decipher.setAAD(Buffer.concat([bytes.subarray(0, 8), Buffer.from(JSON.stringify(['things', 'k', 'e']))]))
    decipher.setAuthTag(bytes.subarray(-16))
    const plain = Buffer.concat([decipher.update(bytes.subarray(20, -16)), decipher.final()])
    expect(plain.toString()).toBe('shunter2')
  })

  it('differs each time: no nonce comes twice', () => {
    const nonces = Array.from({ length: 5_000 }, () =>
      Buffer.from(envelopeOf(whole.seal(entry('same'), 'x')), 'base64').toString('hex', 8, 20),
    )
    expect(new Set(nonces).size).toBe(nonces.length)
  })

  it('with any bit flipped does not open', () => {
    const sealed = whole.seal(entry({ password: 'correct horse' }), 'x')
    const bytes = Buffer.from(envelopeOf(sealed), 'base64')
    for (let bit = 0; bit < bytes.byteLength * 8; bit++) {
      const flipped = Buffer.from(bytes)
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7))
      const changed = { ...sealed, value: { $sealed: [[]], value: flipped.toString('base64') } }
      // The four bytes of the key id name another key.
      expect(reasonOf(whole.open(changed, 'x')), `bit ${bit}`).toBe(bit >= 32 && bit < 64 ? 'unknown-key' : 'damaged')
    }
  })

  it('with any bit of its text flipped does not open, nor cut off, nor with something added', () => {
    const sealed = whole.seal(entry('s'), 'x')
    const given = envelopeOf(sealed)
    const open = (value: unknown): string => reasonOf(whole.open({ ...sealed, value: { $sealed: [[]], value } }, 'x'))
    fc.assert(
      fc.property(fc.nat(given.length - 1), fc.nat(6), (at, bit) => {
        const changed = `${given.slice(0, at)}${String.fromCharCode(given.charCodeAt(at) ^ (1 << bit))}${given.slice(at + 1)}`
        expect(open(changed)).not.toBe('opened')
      }),
    )
    for (let length = 0; length < given.length; length++) expect(open(given.slice(0, length))).toBe('damaged')
    for (const odd of [`${given}A`, ` ${given}`, `${given}\n`, 7, null, [given], { a: given }, undefined])
      expect(open(odd)).toBe('damaged')
    expect(open(given)).toBe('opened')
  })

  it('of an empty text and of a large one', () => {
    const { id, secret } = ring.derived(ring.activeId, 'p', 'n') as DerivedKey
    for (const plain of ['', 'x'.repeat(5_000_000)]) {
      const envelope = sealEnvelope(plain, id, secret, 'about')
      expect(keyIdOf(envelope)).toBe(id)
      expect(openEnvelope(envelope, id, secret, 'about')?.toString()).toBe(plain)
      expect(openEnvelope(envelope, id, secret, 'abouT')).toBeUndefined()
    }
  })
})

describe('what a secret belongs to', () => {
  it('is its tier, name, key, era and field: with any one of them another, it does not open', () => {
    const parts = { purpose: text, name: text, id: text, era: fc.option(text, { nil: undefined }), field: fieldName }
    const change = fc.oneof(
      ...Object.entries(parts).map(([part, other]) => fc.record({ [part]: other }, { requiredKeys: [part] })),
    )
    fc.assert(
      fc.property(fc.record(parts), change, (own, other) => {
        const moved = { ...own, ...other }
        const sealer = new Sealer(ring, () => {})
        for (const { name } of [own, moved]) sealer.declare(name, [[own.field], [moved.field]])
        const at = (it: typeof own, value: unknown): Entry => ({
          ...entry(value),
          key: { name: it.name, id: it.id },
          era: it.era,
        })
        const sealed = sealer.seal(at(own, Object.fromEntries([[own.field, 'secret']])), own.purpose)
        const envelope = (sealed.value as { value: Record<string, string> }).value[own.field]
        const value = { $sealed: [[moved.field]], value: Object.fromEntries([[moved.field, envelope]]) }
        const isSame = Object.entries(moved).every(([part, it]) => own[part as keyof typeof own] === it)
        expect(reasonOf(sealer.open(at(moved, value), moved.purpose))).toBe(isSame ? 'opened' : 'damaged')
      }),
    )
  })

  it('two fields of one value cannot change places, nor parts of a path run together', () => {
    const sealer = sealerOf(['user', 'pass', 'a.*'])
    const sealed = sealer.seal(entry({ user: 'u', pass: 'p', a: { 'b.c': 1, b: { c: 2 } } }), 'x')
    const { $sealed, value } = sealed.value as { $sealed: unknown; value: { user: string; pass: string } }
    const swapped = { ...value, user: value.pass, pass: value.user }
    expect(reasonOf(sealer.open({ ...sealed, value: { $sealed, value: swapped } }, 'x'))).toBe('damaged')
    const { a } = value as unknown as { a: Record<string, string> }
    const crossed = { ...value, a: { 'b.c': a['b'], b: a['b.c'] } }
    expect(reasonOf(sealer.open({ ...sealed, value: { $sealed, value: crossed } }, 'x'))).toBe('damaged')
    expect(reasonOf(sealer.open(sealed, 'x'))).toBe('opened')
  })
})

describe('one key', () => {
  it('seals a limited number of secrets: it warns half way, and refuses at the end', () => {
    const warnings: KeyWear[] = []
    const own = keyring({ active: 'a', keys: { a: randomBytes(32) } })
    const sealer = new Sealer(own, (wear) => warnings.push(wear))
    sealer.declare('things', [['password']])
    const derived = own.derived(own.activeId, 'x', 'things') as DerivedKey
    derived.sealed = MESSAGES_MAX / 2 - 2
    for (let i = 0; i < 3; i++) sealer.seal(entry({ password: 'p' }), 'x')
    expect(warnings).toEqual([
      { name: 'things', keyId: own.keys[0]?.id, sealed: MESSAGES_MAX / 2, limit: MESSAGES_MAX },
    ])
    derived.sealed = MESSAGES_MAX - 1
    sealer.seal(entry({ password: 'p' }), 'x')
    expect(() => sealer.seal(entry({ password: 'p' }), 'x')).toThrow(
      expect.objectContaining({ code: 'seal-exhausted' }),
    )
    // Other names have keys of their own.
    sealer.declare('others', [['password']])
    expect(sealer.seal(entryOf(clock, 'others', 'k', { password: 'p' }), 'x')).toBeTruthy()
  })
})
