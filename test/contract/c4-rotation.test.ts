// C4: keys change while the cache is in use, and what is exported comes back as it was.

import { randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import type { Entry } from 'tidemark'
import { keyring, type Keyring, type KeyringKeys } from 'tidemark/seal'
import { eachSealedStack, listOf, proxyOf, tamper, unopened, type Pool, type Proxy } from '../seal/stacks.ts'

const [first, second] = [randomBytes(32), randomBytes(32)]
const ringOf = (active: string, keys: Record<string, Buffer>): Keyring => keyring({ active, keys })
const oldRing = ringOf('old', { old: first })
const newRing = ringOf('new', { new: second })
const bothRing = ringOf('new', { new: second, old: first })
const down = (): Proxy => {
  throw new Error('the source is down')
}

await eachSealedStack(({ lowest, place, open, bare }) => {
  it('rotation: while readers and writers run; then the old key may go', async () => {
    const at = place()
    let keys: KeyringKeys = { active: 'old', keys: { old: first } }
    const caches = await Promise.all(
      [0, 1].map(async () => {
        const ring = await keyring.fromService(() => keys)
        return { ring, pool: open(at, ring) }
      }),
    )
    const names = Array.from({ length: 30 }, (_, i) => `k${i}`)
    const [writer, reader] = caches.map((it) => it.pool) as [Pool, Pool]
    for (const key of names) await writer.proxies.set(key, proxyOf(key))

    const run = { isOver: false }
    const writing = (async () => {
      for (let i = 0; !run.isOver; i++) {
        await writer.proxies.set(names[i % 10] as string, proxyOf(names[i % 10] as string))
        if (i % 7 === 0) await writer.proxies.delete(names[10 + (i % 5)] as string)
        await new Promise((resolve) => setImmediate(resolve))
      }
    })()
    const reading = (async () => {
      for (let i = 0; !run.isOver; i++) {
        const key = names[i % names.length] as string
        expect(await reader.proxies.get(key)).toEqual(proxyOf(key))
        await new Promise((resolve) => setImmediate(resolve))
      }
    })()
    for (const next of [
      { active: 'old', keys: { old: first, new: second } },
      { active: 'new', keys: { old: first, new: second } },
    ]) {
      keys = next
      for (const { ring } of caches) await ring.refresh()
    }
    const [report] = await Promise.all([writer.tide.rekey(), reader.tide.rekey()])
    expect(report).toMatchObject({ unknown: 0, damaged: 0, failed: 0 })
    run.isOver = true
    await Promise.all([writing, reading])
    expect(caches.flatMap((it) => unopened(it.pool.events))).toEqual([])
    expect(writer.events.some((event) => event.type === 'rekey' && event.tier === lowest && event.done > 0)).toBe(true)
    expect(await writer.tide.rekey()).toEqual({ resealed: 0, removed: 0, unknown: 0, damaged: 0, failed: 0 })
    for (const it of caches) await it.pool.tide.close()

    const after = open(at, newRing, down)
    for (const key of names.filter((_, i) => i < 10 || i > 14))
      expect(await after.proxies.get(key)).toEqual(proxyOf(key))
    expect(unopened(after.events)).toEqual([])
  })

  it('rotation: rekey leaves times alone, what it cannot open too, and removes secrets in the clear', async () => {
    const at = place()
    const before = open(at, oldRing)
    for (const key of ['a', 'b', 'clear', 'lost']) await before.proxies.get(key)
    await before.proxies.invalidate('b')
    await before.tide.close()
    const raw = bare(at)
    await tamper(raw, 'clear', (entry) => ({ ...entry, value: proxyOf('clear') }))
    const [a, b] = [await raw.get({ name: 'proxies', id: 'a' }), await raw.get({ name: 'proxies', id: 'b' })]
    await raw.close()
    const strange = open(at, ringOf('x', { x: randomBytes(32) }))
    await strange.proxies.set('lost', proxyOf('lost'))
    await strange.tide.close()

    const after = open(at, bothRing, down)
    expect(await after.tide.rekey()).toEqual({ resealed: 2, removed: 1, unknown: 1, damaged: 0, failed: 0 })
    expect(await after.proxies.count()).toBe(3)
    await after.tide.close()
    const now = bare(at)
    for (const entry of [a, b] as Entry[]) {
      const { value, ...rest } = (await now.get(entry.key)) as Entry
      const { value: old, ...was } = entry
      expect(rest).toEqual(was)
      expect(value).not.toEqual(old)
    }
  })

  it('rotation: export and import are lossless [proxies 6]', async () => {
    const at = place()
    const before = open(at, bothRing)
    await before.proxies.get('fresh')
    await before.proxies.set('older', proxyOf('older'), { loadedAt: before.clock.now() - 1_000 })
    await before.proxies.get('stale')
    await before.proxies.invalidate('stale')
    const lines = await listOf(before.tide.export())
    expect(lines).toHaveLength(5)
    expect(lines.join('')).not.toMatch(/password-|user-/)
    const entries = await listOf(before.proxies.entries())

    const after = open(place(), bothRing, down)
    expect(await after.tide.import(lines)).toEqual({
      imported: 3,
      skipped: 0,
      failed: 0,
      problems: [],
      isComplete: true,
    })
    const plain = (it: (typeof entries)[0]): unknown => ({ ...it, bytes: 0 })
    const byKey = (a: { key: unknown }, b: { key: unknown }): number => String(a.key).localeCompare(String(b.key))
    const imported = await listOf(after.proxies.entries())
    expect(imported.toSorted(byKey).map(plain)).toEqual(entries.toSorted(byKey).map(plain))
    expect(await after.proxies.get('older')).toEqual(proxyOf('older'))
    expect((await after.proxies.read('fresh')).loadedAt).toBe((await before.proxies.read('fresh')).loadedAt)
    await expect(after.proxies.get('stale')).rejects.toThrow('the source is down')
    expect(await after.proxies.stored('stale', { stale: true })).toEqual(proxyOf('stale'))
  })
})
