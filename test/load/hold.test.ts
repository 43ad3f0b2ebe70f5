// Whether a process that has nothing else to do waits for a loader that hangs: real processes, which end by themselves.

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const PACKAGE = new URL('../../src/index.ts', import.meta.url).href
const HEAD = `
  const { createTidemark, memory, ttl } = await import('${PACKAGE}')
  const tide = createTidemark({ tiers: [memory()] })
  const hang = () => new Promise(() => {})
  const outcome = (it) => it.then((value) => 'value ' + value, (error) => error.code)
`

/** What a program prints before it ends by itself. */
async function outputOf(program: string): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', HEAD + program], {
    timeout: 25_000,
  })
  return stdout.trim()
}

const CALLERS: readonly (readonly [who: string, program: string])[] = [
  [
    'a resource',
    `const units = tide.resource({ name: 'units', load: hang, freshness: ttl('1s'), timeout: { hard: '300ms' } })
     console.log(await Promise.all([outcome(units.get('a')), outcome(units.read('a', { refresh: true }))]))`,
  ],
  [
    'a collection',
    `const events = tide.collection({ name: 'events', probe: hang, load: () => [], timeout: { hard: '300ms' } })
     console.log(await Promise.all([outcome(events.list('a')), outcome(events.sync('a'))]))`,
  ],
  [
    'a view',
    `const section = { revision: () => '1', build: hang }
     const all = tide.view({ name: 'all', sections: { section }, timeout: { hard: '300ms' } })
     console.log(await Promise.all([outcome(all.get()), outcome(all.read())]))`,
  ],
]

it.for(CALLERS)('whoever waits for %s hears of its deadline', async ([, program]) => {
  expect(await outputOf(program)).toBe("[ 'load-timeout', 'load-timeout' ]")
})

it('a refresh behind a stale value keeps no process from ending, nor does a load whose reader got the stale value', async () => {
  const output = await outputOf(`
    let isHanging = false
    const units = (name, soft) => tide.resource({
      name,
      load: (key) => (isHanging ? hang() : key),
      freshness: ttl(1),
      ...(soft === undefined ? { staleWhileRevalidate: '1h' } : { staleIfError: '1h' }),
      timeout: { soft, hard: '10m' },
    })
    const [behind, slow] = [units('behind'), units('slow', '50ms')]
    await Promise.all([behind.get('a'), slow.get('a')])
    isHanging = true
    await new Promise((resolve) => setTimeout(resolve, 20))
    console.log((await behind.read('a')).reason, (await slow.read('a')).reason)
  `)
  expect(output).toBe('revalidating source-slow')
})
