// `skewed-versions`: what every released version wrote is read for ever. The files in `fixtures` were written once, by the
// version that brought the form, and are never written again; a new form or compression adds its own.

import { cpSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { jsonl, sqlite, type Tier, type TierReport } from 'tidemark'
import { FakeClock } from 'tidemark/testing'
import { decodeStored, isText } from '../../src/codec/stored.ts'
import { FORMAT } from '../../src/codec/value.ts'
import { decodeFrame } from '../../src/tier/frame.ts'
import { migrate } from '../../src/tier/sqlite/schema.ts'
import { testFolder } from '../folder.ts'
import { RELEASED_VALUES } from './released.ts'

const FIXTURES = fileURLToPath(new URL('fixtures', import.meta.url))
const FORMS = Object.keys(RELEASED_VALUES) as (keyof typeof RELEASED_VALUES)[]
const ALGORITHMS = ['gzip', 'zstd'] as const
const folder = testFolder()
const read = (name: string): Buffer => readFileSync(join(FIXTURES, name))

/** A tier over files, which must have nothing to complain of. */
function attached(tier: Tier): Tier {
  const reports: TierReport[] = []
  tier.attach?.({ clock: new FakeClock(), report: (news) => reports.push(news) })
  onTestFinished(async () => {
    expect(reports).toEqual([])
    await tier.close()
  })
  return tier
}

async function expectReleased(tier: Tier): Promise<void> {
  for (const form of FORMS) {
    const entry = await tier.get({ name: 'users', id: form })
    expect(entry?.value, form).toEqual(RELEASED_VALUES[form])
    expect(entry?.loadedAt).toBe(1_900_000_000_000)
  }
}

describe('values', () => {
  it('there is a file of every form, and of every compression of it', () => {
    const plain = FORMS.map((form) => `${FORMAT[form]}-${form}.bin`)
    const packed = FORMS.flatMap((form) => ALGORITHMS.map((it) => `${FORMAT.packed}-${it}-${form}.bin`))
    expect(readdirSync(FIXTURES).filter((name) => /^\d/.test(name))).toEqual([...plain, ...packed].toSorted())
    expect(new Set([...FORMS, 'packed'])).toEqual(new Set(Object.keys(FORMAT)))
  })

  it.for(readdirSync(FIXTURES).filter((name) => /^\d/.test(name)))('%s', (name) => {
    const [, format, form] = /^(\d+)-(?:\w+-)?(\w+)\.bin$/.exec(name) as unknown as [
      string,
      string,
      keyof typeof RELEASED_VALUES,
    ]
    const bytes = read(name)
    const data = isText(Number(format)) ? bytes.toString() : bytes
    expect(decodeStored(Number(format), data)).toEqual(RELEASED_VALUES[form])
  })
})

describe.for(ALGORITHMS)('compressed with %s, by a tier without the option', (algorithm) => {
  it('rows of SQLite', async () => {
    const path = join(folder, `${algorithm}.db`)
    const db = new DatabaseSync(path)
    migrate(db, path)
    db.exec(read(`sqlite-1-${algorithm}.sql`).toString())
    expect(db.prepare('SELECT DISTINCT format FROM entries').all()).toEqual([{ format: FORMAT.packed }])
    db.close()
    await expectReleased(attached(sqlite({ path })))
  })

  it('lines of JSONL', async () => {
    const path = join(folder, algorithm)
    cpSync(join(FIXTURES, `jsonl-1-${algorithm}`), path, { recursive: true })
    await expectReleased(attached(jsonl({ path })))
  })

  it('frames of Redis', () => {
    for (const form of FORMS) {
      const entry = decodeFrame(read(`redis-1-${algorithm}-${form}.bin`), { name: 'users', id: form })
      expect(entry.value, form).toEqual(RELEASED_VALUES[form])
      expect(entry.loadedAt).toBe(1_900_000_000_000)
    }
  })
})
