import assert from 'node:assert/strict'
import { keyOfId, type KeyInput } from '../../key.ts'
import { entryOf, valueOf, type TierCase } from './case.ts'

/** Keys that look alike or are awkward for files, SQL, JSON or objects; all different. */
export const AWKWARD_KEYS: readonly KeyInput[] = [
  '',
  ' ',
  'é', // NFC
  'e\u0301', // NFD
  '\ud800',
  '\udfff',
  'a\ud800b',
  '\n',
  '\r\n',
  '\0',
  'a\0b',
  'a',
  'A',
  '../x',
  'C:\\x',
  'CON',
  '__proto__',
  'constructor',
  'toString',
  "'; DROP TABLE entries; --",
  '%',
  '_',
  '"quoted"',
  '["a","b:c"]',
  '[1]',
  ['a', 'b:c'],
  ['a:b', 'c'],
  ['a', 'b', 'c'],
  ['a,b', 'c'],
  ['1'],
  [1],
  '1',
  [true],
  ['true'],
  [1.5],
  [-1],
  [''],
  [],
  ['\ud800'],
  '🌊',
  'x'.repeat(1024 * 1024),
]

/** `every-key` of the contract. */
export const keyCases: readonly TierCase[] = [
  {
    name: 'every-key: awkward keys are kept apart and come back as they were',
    run: async (tier, clock) => {
      await Promise.all(AWKWARD_KEYS.map((key, i) => tier.put(entryOf(clock, 'keys', key, i))))
      for (const [i, key] of AWKWARD_KEYS.entries()) assert.equal(await valueOf(tier, 'keys', key), i, `key ${i}`)
      const back: KeyInput[] = []
      for await (const { key } of tier.keys({ kind: 'name', name: 'keys' })) back.push(keyOfId(key.id))
      const form = (key: KeyInput): string => JSON.stringify(key)
      assert.deepEqual(back.map(form).toSorted(), AWKWARD_KEYS.map(form).toSorted())
      for (const [i, key] of AWKWARD_KEYS.entries()) {
        const selector = { kind: 'key', key: entryOf(clock, 'keys', key, i).key } as const
        assert.equal(await tier.remove(selector), 1, `key ${i}`)
        assert.equal(await tier.count({ kind: 'all' }), AWKWARD_KEYS.length - i - 1)
      }
    },
  },
]
