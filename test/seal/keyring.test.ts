// Keys: how they may be given, who may read them, and that no message, print or property ever shows one.

import { randomBytes, type KeyObject } from 'node:crypto'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import { createTidemark, memory, ttl, type TidemarkError } from 'tidemark'
import { keyring, type KeyringKeys, type Passphrase } from 'tidemark/seal'
import { masterKey } from '../../src/seal/key-material.ts'
import { testFolder } from '../folder.ts'

const folder = testFolder()
const bytes = randomBytes(32)
const [base64, base64url, hex] = [bytes.toString('base64'), bytes.toString('base64url'), bytes.toString('hex')]
const other = randomBytes(32).toString('base64')
const VARIABLE = 'TIDEMARK_TEST_KEYS'

afterEach(() => void delete process.env[VARIABLE])

function caught(run: () => unknown): TidemarkError {
  try {
    run()
  } catch (error) {
    return error as TidemarkError
  }
  throw new Error('nothing was thrown')
}

let files = 0
function keyFile(text: string, mode = 0o600): string {
  const path = join(folder, `keys-${files++}`)
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

describe('a key', () => {
  it('is the same as bytes, base64, base64url and hex, whatever it is called', () => {
    const ids = [bytes, new Uint8Array(bytes), base64, base64.replace('=', ''), base64url, hex, hex.toUpperCase()].map(
      (material, i) => keyring({ active: `k${i}`, keys: { [`k${i}`]: material } }).keys[0]?.id,
    )
    expect(new Set(ids).size).toBe(1)
    expect(ids[0]).toMatch(/^[\da-f]{8}$/)
    expect(keyring({ active: 'b', keys: { b: other } }).keys[0]?.id).not.toBe(ids[0])
  })

  it('that was given as bytes is not overwritten', () => {
    expect(bytes.toString('hex')).toBe(hex)
  })

  it('of a passphrase depends on its words and its salt, however its letters are composed', () => {
    const idOf = (passphrase: string, salt: string): unknown =>
      keyring({ active: 'w', keys: { w: { passphrase, salt } } }).keys[0]?.id
    const id = idOf('caf\u00e9 horse battery', 'gateway-1')
    expect(idOf('cafe\u0301 horse battery', 'gateway-1')).toBe(id)
    expect(idOf('caf\u00e9 horse battery', 'gateway-2')).not.toBe(id)
    expect(idOf('cafe horse battery', 'gateway-1')).not.toBe(id)
  })

  it('that does not fit is refused, and in no message', () => {
    const wrong: unknown[] = [
      '',
      bytes.toString('base64').slice(0, 40),
      `${hex}00`,
      'correct horse battery staple',
      randomBytes(16),
      randomBytes(33),
      7,
      null,
      undefined,
      {},
      { passphrase: 'hunter2hunter2' },
      { passphrase: 'hunter2hunter2', salt: 'short' },
      { passphrase: '', salt: 'long enough' },
      { passphrase: 5, salt: 'long enough' },
    ]
    for (const material of wrong) {
      const error = caught(() => keyring({ active: 'a', keys: { a: material as never } }))
      expect(error.code).toBe('invalid-option')
      expect(error.hint).toContain('openssl rand')
      if (typeof material === 'string' && material !== '')
        expect(JSON.stringify(error) + error.message).not.toContain(material)
      expect(inspect(error)).not.toMatch(/hunter2/)
    }
  })
})

describe('a keyring', () => {
  it('tells its keys without them, the active one first', () => {
    const ring = keyring({ active: 'new', keys: { old: other, new: base64 } })
    expect(ring.keys).toMatchObject([
      { label: 'new', isActive: true },
      { label: 'old', isActive: false },
    ])
  })

  it('that does not fit is refused', () => {
    const wrong = [
      { active: 'b', keys: { a: base64 } },
      { active: 'a', keys: {} },
      { active: 'a', keys: null },
      { active: 'a', keys: [base64] },
      { active: 'a', keys: { a: base64, b: hex } },
      { active: undefined, keys: { a: base64 } },
      { active: 'with space', keys: { 'with space': base64 } },
      { active: 'a'.repeat(33), keys: { ['a'.repeat(33)]: base64 } },
    ]
    for (const keys of wrong) expect(caught(() => keyring(keys as never)).code).toBe('invalid-option')
    expect(caught(() => keyring({ active: 'a', keys: { a: base64 }, acitve: 1 } as never)).code).toBe('unknown-option')
  })

  it('shows no key, however it is printed, also when a key stands where its label should', () => {
    const ring = keyring({ active: 'a', keys: { a: base64 } })
    const tide = createTidemark({ tiers: [memory()], keyring: ring })
    const printed = [ring, { ring }, tide].flatMap((it) => [
      inspect(it, { depth: 9, showHidden: true, getters: true }),
      JSON.stringify(it),
    ])
    const swapped = [
      caught(() => keyring({ active: base64, keys: { [base64]: 'a' } })),
      caught(() => keyring({ active: hex, keys: { [hex]: 'a' } })),
      caught(() => keyring({ active: base64, keys: { a: other } })),
      caught(() => createTidemark({ tiers: [memory()], keyring: base64 as never })),
      caught(() => createTidemark({ tiers: [memory()], keyring: { active: 'a', keys: { a: base64 } } as never })),
    ]
    const told = swapped.flatMap((error) => [error.message, error.hint, inspect(error, { depth: 9 })])
    for (const text of [...printed, ...told]) {
      for (const shape of [base64, base64url, hex, base64.replace('=', '')]) expect(text).not.toContain(shape)
    }
  })
})

describe('from the environment', () => {
  it('the first key is active', () => {
    process.env[VARIABLE] = ` 2026-10 = ${base64} ,2025-03=${other},`
    expect(keyring.fromEnv(VARIABLE).keys).toMatchObject([
      { label: '2026-10', isActive: true },
      { label: '2025-03', isActive: false },
    ])
  })

  it('what is missing or malformed is refused, and in no message', () => {
    const texts = [undefined, '', '  ', base64, `a:${base64}`, `=${base64}`, ',', `a=${base64},a=${other}`]
    for (const text of texts) {
      if (text === undefined) delete process.env[VARIABLE]
      else process.env[VARIABLE] = text
      const error = caught(() => keyring.fromEnv(VARIABLE))
      expect(error.code, String(text)).toBe('keyring-unreadable')
      expect(error.message).toContain(VARIABLE)
      expect(error.hint).toContain('docs/sealing.md')
      expect(inspect(error)).not.toContain(base64.slice(0, 20))
    }
    process.env[VARIABLE] = 'a=too short'
    expect(caught(() => keyring.fromEnv(VARIABLE)).code).toBe('invalid-option')
  })
})

describe('from a file', () => {
  it('one key a line, notes and passphrases included', () => {
    const ring = keyring.fromFile(
      keyFile(`# since October\n\nnew=${base64}\r\nold=scrypt:gateway-1:so: many = words\n`),
    )
    const words = { passphrase: 'so: many = words', salt: 'gateway-1' }
    const same = keyring({ active: 'x', keys: { x: words } })
    expect(ring.keys).toMatchObject([{ label: 'new' }, { label: 'old', id: same.keys[0]?.id }])
  })

  it.for([0o640, 0o604, 0o660, 0o644, 0o777, 0o610])(
    'mode %o is refused: others than its owner could read it',
    (mode) => {
      const error = caught(() => keyring.fromFile(keyFile(`a=${base64}`, mode)))
      expect(error.code).toBe('keyring-unreadable')
      expect(error.message).toContain('chmod 600')
    },
  )

  it.for([0o600, 0o400])('mode %o is read', (mode) => {
    expect(keyring.fromFile(keyFile(`a=${base64}`, mode)).keys).toHaveLength(1)
  })

  it('what is missing, a folder, or no key file is refused', () => {
    const open = join(folder, 'folder')
    mkdirSync(open, { mode: 0o700 })
    for (const path of [join(folder, 'none'), open, keyFile(''), keyFile('x'.repeat(100_000)), keyFile(base64)]) {
      const error = caught(() => keyring.fromFile(path))
      expect(error.code, path).toBe('keyring-unreadable')
      expect(error.message).toContain(path)
    }
  })
})

describe('refresh', () => {
  it('reads a file, a variable and a service again, and leaves keys that were given alone', async () => {
    const path = keyFile(`a=${base64}`)
    process.env[VARIABLE] = `a=${base64}`
    let asked = 0
    const ask = async (): Promise<{ active: string; keys: Record<string, string> }> =>
      asked++ === 0 ? { active: 'a', keys: { a: base64 } } : { active: 'b', keys: { a: base64, b: other } }
    const rings = [keyring.fromFile(path), keyring.fromEnv(VARIABLE), await keyring.fromService(ask)]
    const given = keyring({ active: 'a', keys: { a: base64 } })
    writeFileSync(path, `b=${other}\na=${base64}`)
    process.env[VARIABLE] = `b=${other},a=${base64}`
    for (const ring of [...rings, given]) await ring.refresh()
    for (const ring of rings) expect(ring.keys).toMatchObject([{ label: 'b', isActive: true }, { label: 'a' }])
    expect(given.keys).toMatchObject([{ label: 'a', isActive: true }])
  })

  it('that fails leaves the keys as they were', async () => {
    const path = keyFile(`a=${base64}`)
    const ring = keyring.fromFile(path)
    chmodSync(path, 0o644)
    await expect(ring.refresh()).rejects.toMatchObject({ code: 'keyring-unreadable' })
    expect(ring.keys).toMatchObject([{ label: 'a', isActive: true }])
    let fails = false
    const service = await keyring.fromService(() => {
      if (fails) throw new Error('the service is down')
      return { active: 'a', keys: { a: base64 } }
    })
    fails = true
    await expect(service.refresh()).rejects.toThrow('the service is down')
    expect(service.keys).toHaveLength(1)
  })

  it('an answer that comes late does not bring back keys that have gone', async () => {
    const answers: PromiseWithResolvers<KeyringKeys>[] = []
    const ask = (): Promise<KeyringKeys> => {
      const answer = Promise.withResolvers<KeyringKeys>()
      answers.push(answer)
      return answer.promise
    }
    const making = keyring.fromService(ask)
    answers[0]?.resolve({ active: 'a', keys: { a: base64 } })
    const ring = await making
    const refreshes = [ring.refresh(), ring.refresh()]
    answers[2]?.resolve({ active: 'b', keys: { b: other } })
    await refreshes[1]
    answers[1]?.resolve({ active: 'a', keys: { a: base64 } })
    await refreshes[0]
    expect(ring.keys).toMatchObject([{ label: 'b' }])
  })

  it('stretches a passphrase once', () => {
    const stretched = new Map<string, KeyObject>()
    const words = (): Passphrase => ({ passphrase: 'nine words or more', salt: 'gateway-1' })
    const { secret } = masterKey('a', words(), stretched)
    expect(masterKey('b', words(), stretched).secret).toBe(secret)
    expect(masterKey('a', { ...words(), salt: 'gateway-2' }, stretched).secret).not.toBe(secret)
    expect([...stretched.keys()].join()).not.toContain('nine')
  })
})

describe('secrets without a keyring', () => {
  it('are refused when they are declared, with what to do; the name stays free', () => {
    const tide = createTidemark({ tiers: [memory()] })
    const load = (): { password: string } => ({ password: 'p' })
    const probe = (): { count: number } => ({ count: 0 })
    const refusals = [
      caught(() => tide.resource({ name: 'proxies', load, freshness: ttl(1), secrets: ['password'] })),
      caught(() => tide.resource({ name: 'proxies', load, freshness: ttl(1), secrets: true })),
      caught(() => tide.collection({ name: 'proxies', probe, load: () => [], secrets: true })),
    ]
    for (const error of refusals) {
      expect(error.code).toBe('keyring-required')
      expect(error.message).toContain('"proxies"')
      expect(error.hint).toContain('keyring.fromEnv')
    }
    expect(tide.resource({ name: 'proxies', load, freshness: ttl(1) }).name).toBe('proxies')
  })

  it('rekey has nothing to do it with', async () => {
    await using tide = createTidemark({ tiers: [memory()] })
    await expect(tide.rekey()).rejects.toMatchObject({ code: 'keyring-required' })
  })
})
