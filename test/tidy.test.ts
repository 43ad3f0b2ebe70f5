// The shape of the code is a test: which room may import which, how long a file gets, what every tier brings along.

import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const SRC = join(ROOT, 'src')

/** A room imports only from rooms below it. Leaves import nothing but `errors`. ARCHITECTURE.md draws the same table. */
const LEVELS: Readonly<Record<string, number>> = {
  errors: -1,
  duration: 0,
  clock: 0,
  pg: 1,
  key: 0,
  revision: 0,
  slot: 1,
  entry: 2,
  policy: 3,
  codec: 3,
  observe: 3,
  tier: 4,
  seal: 5,
  stack: 5,
  load: 6,
  era: 6,
  source: 6,
  health: 7,
  resource: 8,
  collection: 8,
  artifact: 8,
  view: 8,
  tidemark: 9,
  http: 9,
  index: 10,
  interop: 10,
  redis: 10,
  postgres: 10,
  testing: 10,
  cli: 11,
}
/** For whoever tests; no room may need it, and it knows no more than tiers. */
const TESTING_LEVEL_MAX = 4
/** Lines a file may have; a file with more has a second noun in it. */
const LINES_MAX = 300

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => join(SRC, name))

const roomOf = (file: string): string => relative(SRC, file).split('/')[0]?.replace(/\.ts$/, '') ?? ''
const importsOf = (file: string): string[] =>
  [...readFileSync(file, 'utf8').matchAll(/^(?:import|export)[^'"]*?from '([^']+)'/gms)].map(
    (match) => match[1] as string,
  )
const localImportsOf = (file: string): string[] =>
  importsOf(file)
    .filter((name) => name.startsWith('.'))
    .map((name) => resolve(dirname(file), name))

describe('rooms', () => {
  it('every file lies in a room of the table, and every room of the table is there', () => {
    expect([...new Set(files.map(roomOf))].toSorted()).toEqual(Object.keys(LEVELS).toSorted())
  })

  it('arrows point down only', () => {
    const wrong = files.flatMap((file) =>
      localImportsOf(file).flatMap((target) => {
        const [from, to] = [roomOf(file), roomOf(target)]
        if (from === to) return []
        const [fromLevel, toLevel] = [LEVELS[from] as number, LEVELS[to] as number]
        const isRight = from === 'testing' ? toLevel <= TESTING_LEVEL_MAX : toLevel < fromLevel
        return isRight ? [] : [`${relative(ROOT, file)} → ${relative(ROOT, target)}`]
      }),
    )
    expect(wrong).toEqual([])
  })

  it('no file imports itself in a circle, types included', () => {
    const graph = new Map(files.map((file) => [file, localImportsOf(file)]))
    const done = new Set<string>()
    const walk = (file: string, path: readonly string[]): string[] | undefined => {
      if (path.includes(file)) return [...path.slice(path.indexOf(file)), file]
      if (done.has(file)) return undefined
      for (const next of graph.get(file) ?? []) {
        const circle = walk(next, [...path, file])
        if (circle) return circle
      }
      done.add(file)
      return undefined
    }
    for (const file of files) expect(walk(file, [])?.map((it) => relative(ROOT, it))).toBeUndefined()
  })

  it('the root entry and everything it reaches import nothing but node itself', () => {
    const foreign = files.flatMap((file) =>
      importsOf(file)
        .filter((name) => !name.startsWith('.') && !name.startsWith('node:'))
        .map((name) => `${relative(ROOT, file)}: ${name}`),
    )
    expect(foreign).toEqual([])
  })
})

describe('files', () => {
  it(`have at most ${LINES_MAX} lines`, () => {
    const long = files.map((file) => [relative(ROOT, file), readFileSync(file, 'utf8').split('\n').length] as const)
    expect(long.filter(([, lines]) => lines > LINES_MAX)).toEqual([])
  })

  it('are named in kebab-case, after what is in them', () => {
    const names = files.map((file) => relative(SRC, file))
    expect(names.filter((name) => !/^[a-z0-9/-]+\.ts$/.test(name))).toEqual([])
    expect(names.filter((name) => /(^|\/)(utils?|helpers?|common|misc|types)\.ts$/.test(name))).toEqual([])
  })

  it('have a docstring on everything public', () => {
    const bare = files.flatMap((file) => {
      const lines = readFileSync(file, 'utf8').split('\n')
      return lines.flatMap((line, i) => {
        if (!/^export (async )?(function|class|interface|type|const) \w/.test(line)) return []
        const before = lines[i - 1] ?? ''
        return before.trimEnd().endsWith('*/') ? [] : [`${relative(ROOT, file)}:${i + 1}`]
      })
    })
    expect(bare).toEqual([])
  })
})

describe('tiers', () => {
  const tiers = readdirSync(join(SRC, 'tier'), { withFileTypes: true })
    .filter((it) => it.isDirectory())
    .map((it) => it.name)

  it.for(tiers)('%s has a suite and a page', (tier) => {
    expect(existsSync(join(ROOT, 'test', 'tier', `${tier}.test.ts`)), 'suite').toBe(true)
    expect(existsSync(join(ROOT, 'docs', 'tiers', `${tier}.md`)), 'page').toBe(true)
  })
})

describe('the project speaks only of itself', () => {
  it('no test is skipped by hand or left open', () => {
    const tests = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.test.ts'),
    )
    const open = tests.filter(
      (name) =>
        name !== 'tidy.test.ts' &&
        /\b(it|test|describe)\.(skip|only|todo)\b/.test(readFileSync(join(ROOT, 'test', name), 'utf8')),
    )
    expect(open).toEqual([])
  })
})
