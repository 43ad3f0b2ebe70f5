// C4: secrets. They leave memory sealed, open where they belong and nowhere else, and no wrong key destroys anything.

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { expect, it, onTestFinished, vi } from 'vitest'
import { isTidemarkError, jsonl, memory, sqlite, ttl, type Entry } from 'tidemark'
import { keyring, type Keyring } from 'tidemark/seal'
import { FakeClock } from 'tidemark/testing'
import { testFolder } from '../folder.ts'
import { eachSealedStack, listOf, pool, proxyOf, tamper, unopened, type Proxy } from '../seal/stacks.ts'

const folder = testFolder()
const [first, second] = [randomBytes(32), randomBytes(32)]
const ringOf = (active: string, keys: Record<string, Buffer>): Keyring => keyring({ active, keys })
const oldRing = ringOf('old', { old: first })
const newRing = ringOf('new', { new: second })
const bothRing = ringOf('new', { new: second, old: first })
const down = (): Proxy => {
  throw new Error('the source is down')
}

interface Sealed {
  readonly $sealed: readonly (readonly string[])[]
  readonly value: Readonly<Record<'username' | 'password', string>>
}
const sealedIn = (entry: Entry): Sealed => entry.value as Sealed

await eachSealedStack(({ lowest, place, open, bare, bytes }) => {
  it('sealed-swap: a sealed field moved to another key, name, era or field does not open', async () => {
    const at = place()
    const before = open(at, oldRing)
    const vendors = before.tide.resource({
      name: 'vendors',
      load: proxyOf,
      freshness: ttl('1h'),
      secrets: ['password'],
    })
    const eras = ['one', 'two'].map((name) => before.tide.era(name))
    const inEra = before.tide.resource({
      name: 'eras',
      load: proxyOf,
      freshness: ttl('1h'),
      secrets: true,
      scope: () => 's',
      ...(eras[0] && { era: eras[0] }),
    })
    for (const key of ['a', 'b', 'c', 'd', 'stays']) await before.proxies.get(key)
    await vendors.get('a')
    await inEra.get('a')
    await before.tide.close()

    const raw = bare(at)
    const other = sealedIn((await raw.get({ name: 'proxies', id: 'b' })) as Entry)
    await tamper(raw, 'a', (entry) => ({ ...entry, value: other }))
    await tamper(raw, 'c', (entry) => {
      const { $sealed, value } = sealedIn(entry)
      return { ...entry, value: { $sealed, value: { ...value, username: value.password, password: value.username } } }
    })
    await tamper(raw, 'd', (entry) => ({ ...entry, key: { name: 'vendors', id: 'd' } }))
    await tamper(raw, 'd', (entry) => ({ ...entry, era: 'one', scope: 's' }))
    const era = (await raw.get({ name: 'eras', id: 'a' })) as Entry
    await raw.put({ ...era, era: 'two' })
    await raw.close()

    const after = open(at, oldRing, down)
    const again = after.tide.resource({ name: 'vendors', load: down, freshness: ttl('1h'), secrets: ['password'] })
    const erasAgain = after.tide.resource({ name: 'eras', load: down, freshness: ttl('1h'), secrets: true })
    for (const key of ['a', 'c', 'd']) expect(await after.proxies.stored(key), key).toBeUndefined()
    expect(await again.stored('d')).toBeUndefined()
    expect(await erasAgain.stored('a')).toBeUndefined()
    expect(unopened(after.events)).toEqual(Array.from({ length: 5 }, () => 'damaged'))
    expect((await after.proxies.stats()).unopened).toBe(3)
    for (const key of ['b', 'stays']) expect(await after.proxies.get(key)).toEqual(proxyOf(key))
    expect((await after.tide.tiers()).map(({ state, failures }) => [state, failures.reads])).toEqual(
      (await after.tide.tiers()).map(() => ['up', 0]),
    )
  })

  it('sealed-swap: what was sealed for one tier does not open in another', async () => {
    const at = place()
    const before = open(at, oldRing)
    await before.proxies.get('a')
    await before.tide.close()
    const entry = (await bare(at).get({ name: 'proxies', id: 'a' })) as Entry

    const elsewhere = join(folder, `elsewhere-${at}`)
    const tier = lowest === 'sqlite' ? jsonl({ path: elsewhere }) : sqlite({ path: elsewhere })
    const after = pool({ tiers: [memory(), tier], keyring: oldRing, clock: new FakeClock() }, down)
    await tier.put(entry)
    expect(await after.proxies.stored('a')).toBeUndefined()
    expect(unopened(after.events)).toEqual(['damaged'])
  })

  it('wrong-key: an unknown key is a counted miss with a hint; nothing is wiped, no tier is taken out of use [proxies 21]', async () => {
    const at = place()
    const before = open(at, oldRing)
    for (const key of ['a', 'b', 'c', 'd']) await before.proxies.get(key)
    await before.tide.close()

    const wrong = open(at, newRing, down)
    for (const key of ['a', 'b', 'c', 'd']) {
      await expect(wrong.proxies.get(key)).rejects.toThrow('the source is down')
      expect(await wrong.proxies.stored(key, { stale: true })).toBeUndefined()
    }
    const told = wrong.events.find((event) => event.type === 'unopened')
    expect(told).toMatchObject({ name: 'proxies', key: 'a', tier: lowest, reason: 'unknown-key' })
    expect(told?.type === 'unopened' && isTidemarkError(told.error, 'seal-unknown-key') && told.error.hint).toContain(
      'previous one',
    )
    expect(new Set(unopened(wrong.events))).toEqual(new Set(['unknown-key']))
    expect(await wrong.tide.stats()).toMatchObject({ names: { proxies: { corrupt: 0, hits: 0 } } })
    expect((await wrong.tide.stats()).names['proxies']?.unopened).toBeGreaterThanOrEqual(8)
    expect(await wrong.proxies.count()).toBe(4)
    for (const { state } of await wrong.tide.tiers()) expect(state).toBe('up')
    await wrong.tide.close()

    const right = open(at, oldRing, down)
    for (const key of ['a', 'b', 'c', 'd']) expect(await right.proxies.get(key)).toEqual(proxyOf(key))
    expect([right.loads, unopened(right.events)]).toEqual([[], []])
  })

  it('wrong-key: told apart from damage, from secrets in the clear, and from nobody declaring any', async () => {
    const at = place()
    const before = open(at, bothRing)
    for (const key of ['changed', 'clear', 'partly', 'other']) await before.proxies.get(key)
    await before.tide.close()
    const strange = open(at, ringOf('x', { x: randomBytes(32) }))
    await strange.proxies.set('other', proxyOf('other'))
    await strange.tide.close()

    const raw = bare(at)
    await tamper(raw, 'changed', (entry) => {
      const { $sealed, value } = sealedIn(entry)
      const bytes = Buffer.from(value.password, 'base64')
      bytes[30] = (bytes[30] as number) ^ 1
      return { ...entry, value: { $sealed, value: { ...value, password: bytes.toString('base64') } } }
    })
    await tamper(raw, 'clear', (entry) => ({ ...entry, value: { ...proxyOf('clear'), password: 'evil' } }))
    await tamper(raw, 'partly', (entry) => {
      const { value } = sealedIn(entry)
      return { ...entry, value: { $sealed: [['username']], value: { ...value, password: 'evil' } } }
    })
    await raw.close()

    const after = open(at, bothRing)
    for (const key of ['changed', 'clear', 'partly', 'other']) expect(await after.proxies.stored(key)).toBeUndefined()
    expect(unopened(after.events)).toEqual(['damaged', 'clear', 'clear', 'unknown-key'])
    // Loading puts what is right in its place.
    for (const key of ['changed', 'clear', 'partly', 'other']) await after.proxies.get(key)
    await after.tide.close()
    const healed = open(at, bothRing, down)
    for (const key of ['changed', 'clear', 'partly', 'other'])
      expect(await healed.proxies.get(key)).toEqual(proxyOf(key))
    await healed.tide.close()

    const undeclared = open(at, undefined, down)
    expect(await undeclared.proxies.stored('changed')).toBeUndefined()
    expect(unopened(undeclared.events)).toEqual(['undeclared'])
  })

  it('no-secret-leaks: not in files, logs, events, errors, stats, explain, lists or exports', async () => {
    const at = place()
    const secrets = ['CANARY-user-4711', 'CANARY-pass-\u00e9\u{1f511}-0815', 'CANARY-large-2342']
    const [username = '', password = '', large = ''] = secrets
    const printed: string[] = []
    for (const stream of [process.stdout, process.stderr]) {
      const spy = vi.spyOn(stream, 'write').mockImplementation((text) => printed.push(String(text)) > 0)
      onTestFinished(() => spy.mockRestore())
    }
    const before = open(at, oldRing, (key) => ({ url: `http://${key}`, username, password }))
    const vault = before.tide.resource({
      name: 'vault',
      load: (_key: string) => ({ notes: large.repeat(10_000), at: new Date(0), bytes: Buffer.from(large) }),
      freshness: ttl('1h'),
      secrets: true,
      tags: () => ['all'],
    })
    const accounts = before.tide.collection({
      name: 'accounts',
      probe: (_tenant: string) => ({ count: 2 }),
      load: () => [
        { id: 1, token: password },
        { id: 2, token: username },
      ],
      identity: ({ id }) => [id],
      secrets: ['token'],
    })
    const told: unknown[] = []
    for (const key of ['a', 'b']) {
      await before.proxies.get(key)
      await vault.get(key)
      await accounts.list(key)
      await before.proxies.set(key, { url: 'x', username, password })
      await before.proxies.invalidate(key)
      told.push(await before.proxies.explain(key), await vault.explain(key))
    }
    told.push(await listOf(before.proxies.entries()), await listOf(vault.entries()))
    told.push(await listOf(before.tide.export()))
    const whileOpen = await bytes(at)
    await before.tide.close()

    const wrong = open(at, newRing, down)
    for (const key of ['a', 'b']) told.push(await wrong.proxies.get(key).catch((error: unknown) => error))
    told.push(await wrong.tide.rekey())
    await wrong.tide.close()
    const rotated = open(at, bothRing, down)
    told.push(await rotated.tide.rekey())
    told.push(await rotated.proxies.set('c', { url: () => 1, username } as never).catch((error: unknown) => error))
    for (const { tide, events } of [before, wrong, rotated]) {
      told.push(events, await tide.stats(), await tide.tiers(), tide)
    }
    const texts = [
      (await bytes(at)).toString('latin1'),
      whileOpen.toString('latin1'),
      printed.join(''),
      ...told.flatMap((it) => [
        inspect(it, { depth: 12, showHidden: true, maxStringLength: null }),
        JSON.stringify(it) ?? '',
      ]),
    ]
    expect(texts[0]?.length, 'there is something to look through').toBeGreaterThan(1_000)
    for (const secret of secrets) {
      for (const shape of shapesOf(secret)) {
        for (const [i, text] of texts.entries()) expect(text.includes(shape), `${shape} in ${i}`).toBe(false)
      }
    }
  })
})

/** A text as it might be found: as it is, escaped, in other encodings, and the middle of its base64 at each offset. */
function shapesOf(secret: string): string[] {
  const utf8 = Buffer.from(secret)
  const base64 = [0, 1, 2].map((pad) =>
    Buffer.concat([Buffer.alloc(pad), utf8])
      .toString('base64')
      .slice(4, -4),
  )
  return [
    utf8.toString('latin1'),
    secret,
    Buffer.from(secret, 'utf16le').toString('latin1'),
    utf8.toString('hex'),
    encodeURIComponent(secret),
    ...base64,
  ]
}
