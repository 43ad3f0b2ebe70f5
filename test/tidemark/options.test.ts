import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { createTidemark, memory, sqlite, ttl, type TidemarkError, type TidemarkOptions } from 'tidemark'
import { testFolder } from '../folder.ts'

const refusal = (options: unknown): TidemarkError | undefined => {
  try {
    void createTidemark(options as TidemarkOptions).close()
    return undefined
  } catch (error) {
    return error as TidemarkError
  }
}

describe('options', () => {
  const same = memory()

  it.for<readonly [string, unknown, string, string]>([
    ['an unknown one', { tier: [] }, 'unknown-option', '`tier`'],
    ['no object', 'data/cache.db', 'invalid-option', '"data/cache.db"'],
    ['tiers that are none', { tiers: {} }, 'invalid-option', '`tiers`'],
    ['no tier', { tiers: [] }, 'invalid-option', 'at least one tier, got an array of 0'],
    ['what is no tier', { tiers: [memory(), 'sqlite'] }, 'invalid-option', '`tiers[1]`'],
    ['a tier that was not made', { tiers: [memory] }, 'invalid-option', 'got a function'],
    ['the same tier twice', { tiers: [same, { tier: same }] }, 'invalid-option', '`tiers`'],
    [
      'an unknown option of a tier',
      { tiers: [{ tier: memory(), timeout: 5 }] },
      'unknown-option',
      '`timeout` for tiers[0]',
    ],
    [
      'enabled that is no boolean',
      { tiers: [{ tier: memory(), enabled: 'no' }] },
      'invalid-option',
      '`tiers[0].enabled` to be true or false, got "no"',
    ],
    [
      'a threshold that is none',
      { tiers: [{ tier: memory(), failureThreshold: 0 }] },
      'invalid-option',
      '`tiers[0].failureThreshold` to be a whole number from 1, got number 0',
    ],
    [
      'a budget that is none',
      { tiers: [{ tier: memory(), budget: 'little' }] },
      'invalid-duration',
      '`tiers[0].budget`',
    ],
    ['a coherence there is not', { coherence: 'strong' }, 'invalid-option', "'eventual' or 'strict', got \"strong\""],
    ['freeze that is no boolean', { freeze: 1 }, 'invalid-option', '`freeze`'],
    ['an isolation there is not', { isolate: true }, 'invalid-option', '`isolate`'],
    ['a clock that cannot schedule', { clock: { now: () => 0 } }, 'invalid-option', '`clock`'],
    ['a clock that is a function', { clock: Date.now }, 'invalid-option', '`clock`'],
  ])('%s is refused, with what was expected and what came', ([, options, code, told]) => {
    const error = refusal(options)
    expect(error?.code).toBe(code)
    expect(error?.message).toContain(told)
  })

  it('undefined is the default, wherever it stands', async () => {
    const tide = createTidemark({
      tiers: [{ tier: memory(), enabled: undefined, budget: undefined, failureThreshold: undefined }],
      coherence: undefined,
      freeze: undefined,
      isolate: undefined,
      clock: undefined,
    })
    expect(await tide.tiers()).toMatchObject([{ tier: 'memory', state: 'up' }])
    await tide.close()
  })
})

describe('defaults', () => {
  it('with no options at all: memory, and SQLite in .tidemark/cache.db, which survives the process', () => {
    const folder = testFolder()
    const index = fileURLToPath(new URL('../../src/index.ts', import.meta.url))
    const run = (): string => {
      const script = `
        import { createTidemark, ttl } from ${JSON.stringify(index)}
        await using tide = createTidemark()
        const users = tide.resource({ name: 'users', load: (key) => key, freshness: ttl('1h') })
        const { reason, tier } = await users.read('a')
        console.log(reason, tier, (await tide.tiers()).map((it) => it.tier).join('+'))`
      const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
        cwd: folder,
        encoding: 'utf8',
      })
      expect(stderr).toBe('')
      return stdout.trim()
    }
    expect(run()).toBe('loaded source memory+sqlite')
    expect(existsSync(join(folder, '.tidemark', 'cache.db'))).toBe(true)
    expect(run()).toBe('hit sqlite memory+sqlite')
  })

  it('values are frozen but in production', async () => {
    const before = process.env['NODE_ENV']
    try {
      for (const [environment, frozen] of [
        ['development', true],
        ['production', false],
      ] as const) {
        process.env['NODE_ENV'] = environment
        await using tide = createTidemark({ tiers: [memory()] })
        const users = tide.resource({ name: 'users', load: (_key: string) => ({ list: [1] }), freshness: ttl('1h') })
        expect(Object.isFrozen((await users.get('a')).list), environment).toBe(frozen)
      }
    } finally {
      process.env['NODE_ENV'] = before
    }
  })

  it('tiers of the same kind can lie in one cache', async () => {
    const folder = testFolder()
    await using tide = createTidemark({
      tiers: [memory(), sqlite({ path: join(folder, 'a.db') }), sqlite({ path: join(folder, 'b.db') })],
    })
    const users = tide.resource({ name: 'users', load: (key: string) => key, freshness: ttl('1h') })
    await users.get('a')
    expect((await users.explain('a')).tiers.map(({ state }) => state)).toEqual(['fresh', 'fresh', 'fresh'])
  })
})
