// What it costs that a value has a secret: one field of 1 KB, beside AES-256-GCM by hand.

import { createSecretKey, randomBytes } from 'node:crypto'
import { FOREVER, type Entry } from '../../src/entry.ts'
import { keyring } from '../../src/seal/index.ts'
import { Sealer } from '../../src/seal/sealer.ts'
import type { Goal, Report } from '../report.ts'
import { inTurns, ratioOf, rowsAgainst, type Contender } from '../rounds.ts'
import { rawOpen, rawSeal, reservedNonce } from './raw.ts'

const BYTES = 1024
const OPERATIONS = 5_000
const TURNS = { rounds: 31, warmUp: 6 }
const RAW = 'AES-256-GCM by hand, a KeyObject'
const RESERVED = 'the same, nonces from a reserve'
const FIELD = 'a field of a value'
const WHOLE = 'the whole value'
const NONE = 'a value without secrets'

/** The section `seal`. */
export async function seal(): Promise<Report> {
  const texts = Array.from({ length: 64 }, () => randomBytes((BYTES / 4) * 3).toString('base64'))
  const key = createSecretKey(randomBytes(32))
  const about = Buffer.from(JSON.stringify(['proxies', 'key', null, 'password']))
  const sealer = new Sealer(keyring({ active: 'a', keys: { a: randomBytes(32) } }), () => {})
  sealer.declare('proxies', [['password']])
  sealer.declare('vault', [[]])
  const fields = texts.map((password) => entryOf('proxies', { url: 'http://10.0.0.7:3128', source: 'list', password }))
  const wholes = texts.map((text) => entryOf('vault', text))
  const plain = texts.map((text) => entryOf('plain', { url: 'http://10.0.0.7:3128', text }))

  const sealing = await inTurns(
    [
      timed(RAW, texts, (text) => rawSeal(text, key, about)),
      timed(RESERVED, texts, (text) => rawSeal(text, key, about, reservedNonce())),
      timed(FIELD, fields, (entry) => sealer.seal(entry, 'tier/sqlite')),
      timed(WHOLE, wholes, (entry) => sealer.seal(entry, 'tier/sqlite')),
      timed(NONE, plain, (entry) => sealer.seal(entry, 'tier/sqlite')),
    ],
    TURNS,
  )
  const opening = await inTurns(
    [
      timed(
        RAW,
        texts.map((text) => rawSeal(text, key, about)),
        (envelope) => rawOpen(envelope, key, about),
      ),
      ...[fields, wholes, plain].map((entries, i) =>
        timed(
          [FIELD, WHOLE, NONE][i] as string,
          entries.map((entry) => sealer.seal(entry, 'tier/sqlite')),
          (entry) => sealer.open(entry, 'tier/sqlite'),
        ),
      ),
    ],
    TURNS,
  )
  const goal: Goal = {
    what: `sealing ${FIELD} of ${BYTES} bytes, beside ${RAW}`,
    measured: ratioOf(sealing, FIELD, RAW),
    limit: 1.3,
    unit: '×',
    better: 'lower',
  }
  return {
    section: 'seal',
    title: 'sealing secrets beside AES-256-GCM by hand',
    conditions: [
      `a secret of ${BYTES} characters; by hand: nonce, ciphertext and tag in one buffer`,
      'ours besides: encodes the secret, finds it in the value, binds it to its place, writes base64 into a copy of the value',
    ],
    tables: [
      { title: 'sealing', unit: 'µs', against: RAW, rows: rowsAgainst(sealing, RAW, 1_000) },
      { title: 'opening', unit: 'µs', against: RAW, rows: rowsAgainst(opening, RAW, 1_000) },
    ],
    goals: [goal],
  }
}

function timed<T>(label: string, inputs: readonly T[], work: (input: T) => unknown): Contender {
  return {
    label,
    run: () => {
      let kept: unknown
      const startedAt = process.hrtime.bigint()
      for (let i = 0; i < OPERATIONS; i++) kept = work(inputs[i % inputs.length] as T)
      const tookNs = Number(process.hrtime.bigint() - startedAt)
      if (kept === undefined) throw new Error(`${label} made nothing.`)
      return tookNs / OPERATIONS
    },
  }
}

function entryOf(name: string, value: unknown): Entry {
  const times = { freshUntil: FOREVER, staleUntil: FOREVER, errorUntil: FOREVER, keepUntil: FOREVER }
  return { key: { name, id: 'key' }, value, loadedAt: 0, ...times }
}
