// What the tables of the pages list is what there is: options, events, counts, errors. The compiler compares them with the
// public types, so that neither a name too many nor one too few gets through.

import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  createTidemark,
  immutable,
  isTidemarkError,
  jsonl,
  memory,
  sliding,
  sqlite,
  sqliteRevision,
  ttl,
  type ArtifactOptions,
} from 'tidemark'
import { respond, type RespondOptions } from 'tidemark/http'
import { keyvStore, keyvTier } from 'tidemark/keyv'
import { pgListen, pgRevision, postgres } from 'tidemark/postgres'
import { redis } from 'tidemark/redis'
import { keyring } from 'tidemark/seal'
import { undiciStore } from 'tidemark/undici'
import { unstorageDriver } from 'tidemark/unstorage'
import { checkNote } from '../../src/artifact/annotate.ts'
import { resolveCollect } from '../../src/artifact/collect.ts'
import { resolveList } from '../../src/artifact/list.ts'
import { resolveRegenerate } from '../../src/artifact/regenerate.ts'
import { resolveVerify } from '../../src/artifact/verify.ts'
import { resolveReadOptions } from '../../src/collection/read-options.ts'
import { ERROR_HINTS } from '../../src/errors.ts'
import { selectorOf } from '../../src/key.ts'
import { isRefresh } from '../../src/load/read-options.ts'
import { setMoment, takesStale } from '../../src/resource/calls.ts'
import { resolveInstall, resolveRemove, resolveSchemaOptions } from '../../src/source/postgres/install.ts'
import { resolveMigrate } from '../../src/tidemark/migrate-options.ts'
import { testFolder } from '../folder.ts'
import { compile } from './compiled.ts'
import { ROOT, namesUnder, pages, proseOf, tableUnder } from './pages.ts'

const folder = testFolder()

/** Page, heading, and the type whose names the first column of the table under it must be. */
const TABLES: readonly (readonly [page: string, heading: string, type: string])[] = [
  ['docs/options.md', 'createTidemark', 'keyof TidemarkOptions'],
  ['docs/options.md', 'A tier with settings', 'keyof TierOptions'],
  ['docs/options.md', 'resource', 'keyof ResourceOptions<string, unknown>'],
  ['docs/options.md', 'collection', 'keyof CollectionOptions<string, unknown>'],
  ['docs/options.md', 'tide.source', 'keyof SourceOptions'],
  ['docs/options.md', 'warmUp', 'keyof WarmUpOptions'],
  ['docs/source-first.md', 'Warnings', 'ReadingWarning'],
  ['docs/options.md', 'view', 'keyof ViewOptions<object>'],
  ['docs/options.md', 'section', 'keyof SectionOptions<unknown>'],
  ['docs/options.md', 'pgRevision', 'keyof PgRevisionOptions'],
  ['docs/options.md', 'installRevisions', 'keyof InstallOptions'],
  ['docs/options.md', 'removeRevisions', 'keyof RemoveOptions'],
  ['docs/options.md', 'renewRevisions and revisionsStatus', 'keyof SchemaOptions'],
  ['docs/options.md', 'pgListen', 'keyof PgListenOptions'],
  ['docs/options.md', 'sqliteRevision', 'keyof SqliteRevisionOptions'],
  ['docs/options.md', 'writeHook', 'keyof WriteHookOptions'],
  ['docs/options.md', 'respond', 'keyof RespondOptions'],
  ['docs/views.md', 'What a read is answered with', 'ViewStatus'],
  ['docs/views.md', 'What a reading tells', 'keyof ViewReading<unknown>'],
  ['docs/views.md', 'Methods', 'keyof View<object>'],
  ['docs/events-and-stats.md', 'explain a view', 'keyof ViewExplanation'],
  ['docs/options.md', 'artifacts', 'keyof ArtifactOptions<unknown, unknown>'],
  ['docs/options.md', 'source', 'keyof SourceCodec<unknown>'],
  ['docs/options.md', 'quota', 'keyof QuotaOptions'],
  ['docs/options.md', 'regenerate', 'keyof RegenerateOptions'],
  ['docs/options.md', 'verify', 'keyof VerifyOptions'],
  ['docs/options.md', 'list', 'keyof ListOptions'],
  ['docs/options.md', 'gc', 'keyof CollectOptions'],
  ['docs/options.md', 'annotate', 'keyof Annotation'],
  ['docs/artifacts.md', 'Methods', 'keyof Artifacts<unknown, unknown>'],
  ['docs/artifacts.md', 'What save tells', 'keyof SavedArtifact'],
  ['docs/artifacts.md', 'What is known of an artifact', 'keyof ArtifactInfo'],
  ['docs/artifacts.md', 'Problems', 'ArtifactProblem'],
  ['docs/artifacts.md', 'Counts', 'keyof ArtifactStats'],
  ['docs/options.md', 'timeout', 'keyof TimeoutOptions'],
  ['docs/options.md', 'health', 'keyof HealthOptions<unknown>'],
  ['docs/options.md', 'backoff', "keyof NonNullable<HealthOptions<unknown>['backoff']>"],
  ['docs/health.md', 'The life of a value', 'HealthState'],
  ['docs/options.md', 'keyring', 'keyof KeyringKeys'],
  ['docs/options.md', 'export', 'keyof ExportOptions'],
  ['docs/options.md', 'migrate', 'keyof MigrateOptions'],
  ['docs/migrating.md', 'What it tells', 'keyof MigrateReport'],
  ['docs/sealing.md', 'Rotation', 'keyof RekeyReport'],
  ['docs/sealing.md', 'What does not open', 'UnopenedReason'],
  ['docs/options.md', 'memory', 'keyof MemoryOptions'],
  ['docs/options.md', 'sqlite', 'keyof SqliteOptions'],
  ['docs/options.md', 'jsonl', 'keyof JsonlOptions'],
  ['docs/options.md', 'redis', 'keyof RedisOptions'],
  ['docs/options.md', 'postgres', 'keyof PostgresOptions'],
  ['docs/options.md', 'keyvTier', 'keyof KeyvTierOptions'],
  ['docs/options.md', 'ttl', 'keyof NonNullable<Parameters<typeof ttl>[1]>'],
  ['docs/options.md', 'sliding', 'keyof NonNullable<Parameters<typeof sliding>[1]>'],
  ['docs/options.md', 'immutable', 'keyof NonNullable<Parameters<typeof immutable>[0]>'],
  ['docs/options.md', 'One read', 'keyof ReadOptions'],
  ['docs/options.md', 'One list', 'keyof CollectionReadOptions'],
  ['docs/options.md', 'A look at what is stored', 'keyof StoredOptions'],
  ['docs/options.md', 'One set', 'keyof SetOptions'],
  ['docs/options.md', 'Lists and counts', 'keyof ScopeFilter'],
  ['docs/events-and-stats.md', 'Events', "TidemarkEvent['type']"],
  ['docs/events-and-stats.md', 'Counts of a name', 'keyof NameStats'],
  ['docs/events-and-stats.md', 'Causes of eviction', 'EvictionCause'],
  ['docs/events-and-stats.md', 'explain', 'keyof Explanation'],
  ['docs/resources.md', 'What read tells', 'keyof Reading<unknown>'],
  ['docs/resources.md', 'Why a reading is what it is', 'ReadingReason'],
  ['docs/resources.md', 'Methods', 'keyof Resource<string, unknown>'],
  ['docs/collections.md', 'Methods', 'keyof Collection<string, unknown>'],
  ['docs/freshness.md', 'Verdicts', 'Verdict'],
  ['docs/outages.md', 'States', 'TierState'],
  ['docs/outages.md', 'What tiers() tells', 'keyof TierStatus'],
  ['docs/testing.md', 'testTier', 'keyof TestTierOptions'],
  ['docs/write-a-tier.md', 'Methods', 'keyof Tier'],
  ['docs/write-a-tier.md', 'Capabilities', 'keyof Capabilities'],
]

function artifactsWith(options: Partial<ArtifactOptions<string, string>>): unknown {
  const text = (event: string): string => event
  const source = { encode: () => new Uint8Array(), decode: () => [], version: 1 }
  const encode = (): Uint8Array => new Uint8Array()
  const functions = { folder: text, filename: text, time: text, encode }
  return createTidemark({ tiers: [memory()] }).artifacts({
    name: 'x',
    root: join(folder, 'artifacts'),
    ...functions,
    encoderVersion: 1,
    source,
    ...options,
  })
}

function respondWith(options: RespondOptions): Response {
  const reading = { value: 1, state: 'fresh', reason: 'hit', tier: 'memory', age: 0, loadedAt: 0 } as const
  return respond(new Request('http://localhost/'), reading, options)
}

/** What can be asked for its options by giving it one that does not exist. */
const REFUSING: Readonly<Record<string, (wrong: never) => unknown>> = {
  createTidemark,
  'A tier with settings': (wrong) => createTidemark({ tiers: [{ tier: memory(), ...(wrong as object) }] }),
  resource: (wrong) => createTidemark({ tiers: [memory()] }).resource(wrong),
  collection: (wrong) => createTidemark({ tiers: [memory()] }).collection(wrong),
  'tide.source': (wrong) => createTidemark({ tiers: [memory()] }).source('x', wrong),
  warmUp: (wrong) => createTidemark({ tiers: [memory()] }).source('x', { warmUp: wrong }),
  view: (wrong) => createTidemark({ tiers: [memory()] }).view(wrong),
  section: (wrong) => createTidemark({ tiers: [memory()] }).view({ name: 'x', sections: { a: wrong } }),
  pgRevision: (wrong) => pgRevision(['x'], wrong),
  installRevisions: resolveInstall,
  removeRevisions: resolveRemove,
  'renewRevisions and revisionsStatus': (wrong) => resolveSchemaOptions('renewRevisions()', wrong),
  pgListen: (wrong) => pgListen(() => Promise.reject(new Error('nothing listens')), wrong),
  sqliteRevision: (wrong) => sqliteRevision(['x'], wrong),
  writeHook: (wrong) => createTidemark({ tiers: [memory()] }).writeHook(wrong),
  respond: (wrong) => respondWith(wrong),
  artifacts: (wrong) => createTidemark({ tiers: [memory()] }).artifacts(wrong),
  source: (wrong) => artifactsWith({ source: wrong }),
  quota: (wrong) => artifactsWith({ quota: wrong }),
  regenerate: resolveRegenerate,
  verify: resolveVerify,
  list: resolveList,
  gc: (wrong) => resolveCollect(wrong, { maxBytes: 1, maxFiles: 1, whenFull: 'refuse', keep: () => true }),
  annotate: checkNote,
  timeout: (wrong) =>
    createTidemark({ tiers: [memory()] }).resource({ name: 'x', load: () => 1, freshness: ttl(1), timeout: wrong }),
  keyring,
  export: (wrong) => createTidemark({ tiers: [memory()] }).export(wrong),
  migrate: resolveMigrate,
  memory,
  sqlite,
  jsonl,
  redis: (wrong) => redis(wrong),
  postgres: (wrong) => postgres(wrong),
  ttl: (wrong) => ttl('1s', wrong),
  sliding: (wrong) => sliding('1s', wrong),
  immutable,
  keyvTier: (wrong) => keyvTier(new Map(), wrong),
  keyvStore: (wrong) => keyvStore(createTidemark({ tiers: [memory()] }), wrong),
  unstorageDriver: (wrong) => unstorageDriver(createTidemark({ tiers: [memory()] }), wrong),
  undiciStore: (wrong) => undiciStore(createTidemark({ tiers: [memory()] }), wrong),
  health: (wrong) =>
    createTidemark({ tiers: [memory()] }).resource({ name: 'x', load: () => 1, freshness: ttl(1), health: wrong }),
  backoff: (wrong) => {
    const health = { check: () => ({ ok: true }), backoff: wrong }
    createTidemark({ tiers: [memory()] }).resource({ name: 'x', load: () => 1, freshness: ttl(1), health })
  },
  'One read': (wrong) => isRefresh('x', wrong),
  'One list': (wrong) => resolveReadOptions('x', wrong),
  'A look at what is stored': (wrong) => takesStale('x', wrong),
  'One set': (wrong) => setMoment('x', wrong, 0),
  'Lists and counts': (wrong) => selectorOf('x', wrong),
}

/** Where types are that `tidemark` itself does not have. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  TestTierOptions: 'tidemark/testing',
  PgRevisionOptions: 'tidemark/postgres',
  InstallOptions: 'tidemark/postgres',
  RemoveOptions: 'tidemark/postgres',
  SchemaOptions: 'tidemark/postgres',
  PgListenOptions: 'tidemark/postgres',
  RedisOptions: 'tidemark/redis',
  KeyvTierOptions: 'tidemark/keyv',
  PostgresOptions: 'tidemark/postgres',
  RespondOptions: 'tidemark/http',
  KeyringKeys: 'tidemark/seal',
}

/** A module that only compiles while each list and its type say the same. */
function assertions(): string {
  const named = (text: string): string[] => [...text.matchAll(/\b[A-Z]\w+|\btypeof (\w+)/g)].map((it) => it[1] ?? it[0])
  const builtIn = new Set(['NonNullable', 'Parameters'])
  const names = new Set(TABLES.flatMap(([, , type]) => named(type)).filter((name) => !builtIn.has(name)))
  const modules = Map.groupBy(names, (name) => ELSEWHERE[name] ?? 'tidemark')
  const lists = TABLES.map(([page, heading, type], i) => {
    const listed = namesUnder(page, heading).map((name) => `${JSON.stringify(name.replace(/\(.*\)$/, ''))}: true`)
    return `/* ${page}, ${heading} */ export const list${i}: Record<Text<${type}>, true> = { ${listed.join(', ')} }`
  })
  return [
    ...Array.from(modules, ([from, types]) => `import type { ${types.join(', ')} } from '${from}'`),
    'type Text<T> = Extract<T, string>',
    ...lists,
  ].join('\n')
}

describe('tables', () => {
  it('list what the types have, no name more and none less', () => {
    const text = assertions()
    const said = compile(join(folder, 'tables'), new Map([['tables.ts', text]]))
    const lines = text.split('\n')
    const wrong = said.map((line) => {
      const at = /^tables\.ts\((\d+),/.exec(line)?.[1]
      return at === undefined ? line : `${/\/\* (.*?) \*\//.exec(lines[Number(at) - 1] ?? '')?.[1]}: ${line}`
    })
    expect(wrong).toEqual([])
  })

  it.for(Object.keys(REFUSING))('options.md lists what %s takes', (heading) => {
    let refusal: unknown
    try {
      REFUSING[heading]?.({ 'no such option': 1 } as never)
    } catch (error) {
      refusal = error
    }
    expect(isTidemarkError(refusal, 'unknown-option')).toBe(true)
    const taken = /It takes: (.*)\.$/.exec((refusal as Error).message)?.[1] ?? ''
    const names = [...taken.matchAll(/`([^`]+)`/g)].map((match) => match[1] as string)
    expect(namesUnder('docs/options.md', heading).toSorted()).toEqual(names.toSorted())
  })

  it('every place in the source that refuses unknown options is one of them', () => {
    const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter((it) =>
      it.endsWith('.ts'),
    )
    const places = files.flatMap((file) =>
      [...readFileSync(join(ROOT, 'src', file), 'utf8').matchAll(/(?<!function )refuseUnknown\(([^,]+),/g)].map(
        (match) => `${file}: ${match[1]}`,
      ),
    )
    // One more here needs a table in options.md, a line in TABLES and one in REFUSING.
    expect(places.toSorted()).toHaveLength(Object.keys(REFUSING).length)
  })
})

describe('errors', () => {
  it('errors.md lists every code with its hint, word for word', () => {
    const listed = tableUnder('docs/errors.md', 'Codes').map(([code = '', meaning = '', hint = '']) => {
      expect(meaning.length, `what ${code} means`).toBeGreaterThan(10)
      return [code.replaceAll('`', ''), hint.replaceAll('&lt;', '<').replaceAll('&gt;', '>')] as const
    })
    expect(Object.fromEntries(listed)).toEqual({ ...ERROR_HINTS })
    expect(listed).toHaveLength(Object.keys(ERROR_HINTS).length)
  })

  it('options.md names only codes that exist, one or more for every option that is checked', () => {
    const codes = Object.keys(REFUSING).flatMap((heading) =>
      tableUnder('docs/options.md', heading).map((cells) => {
        const named = [...(cells.at(-1) ?? '').matchAll(/`([a-z-]+)`/g)].map((match) => match[1] as string)
        expect(named, `${heading}: ${cells[0]}`).not.toEqual([])
        return named
      }),
    )
    expect(codes.flat().filter((code) => !(code in ERROR_HINTS))).toEqual([])
  })

  it('no page speaks of a `tier-…` code that does not exist', () => {
    const spoken = pages().flatMap((page) =>
      [...proseOf(page).matchAll(/`(tier-[a-z-]+)`/g)].map((match) => `${page}: ${match[1]}`),
    )
    const known = new Set([...Object.keys(ERROR_HINTS), 'tier-state', 'tier-failed', 'tier-cases'])
    expect(spoken.filter((it) => !known.has(it.split(': ')[1] as string))).toEqual([])
  })
})
