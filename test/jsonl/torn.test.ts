// Contract C3, `torn-tail`: whatever a kill or a full disk cuts off, what was whole before stays, and nothing is glued to it.

import { appendFileSync, cpSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { OpenTier, lineFiles, testPaths } from './tier.ts'

const nextPath = testPaths()
const KEYS = ['a', 'b', 'c', 'd', 'e', 'f']

async function filled(): Promise<{ path: string; file: string; bytes: Buffer }> {
  const path = nextPath()
  const open = new OpenTier(path)
  for (const key of KEYS) await open.put(key, `value of ${key}`)
  await open.tier.close()
  const file = lineFiles(path)[0] as string
  return { path, file, bytes: readFileSync(file) }
}

/** Where each line begins, and the end. */
function starts(bytes: Buffer): number[] {
  const found = [0]
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) found.push(at + 1)
  return found
}

describe('torn-tail', () => {
  it('cut at every byte of the last three lines: earlier ones are read, appends go on, nothing is glued', async () => {
    const { path, bytes } = await filled()
    const lines = starts(bytes)
    const first = lines.at(-4) as number
    for (let cut = first; cut <= bytes.byteLength; cut++) {
      const copy = nextPath()
      cpSync(path, copy, { recursive: true })
      truncateSync(lineFiles(copy)[0] as string, cut)
      // The head is the first line.
      const whole = lines.filter((start) => start > 0 && start <= cut).length - 1
      const open = new OpenTier(copy)
      const there = async (): Promise<string[]> => {
        const found: string[] = []
        for (const key of KEYS) if ((await open.get(key)) === `value of ${key}`) found.push(key)
        return found
      }
      expect(await there(), `cut at ${cut}`).toEqual(KEYS.slice(0, whole))
      await open.put('new', 'new')
      expect(await open.get('new'), `cut at ${cut}`).toBe('new')
      await open.tier.close()
      const again = new OpenTier(copy)
      expect(await again.get('new'), `cut at ${cut}, after a restart`).toBe('new')
      for (const key of KEYS.slice(0, whole)) expect(await again.get(key)).toBe(`value of ${key}`)
      // Only the end of a line can be missing that nothing else is missing of.
      const lacksOnlyItsEnd = lines.includes(cut + 1)
      for (const key of KEYS.slice(lacksOnlyItsEnd ? whole + 1 : whole)) expect(await again.get(key)).toBeUndefined()
      await again.tier.close()
    }
  }, 120_000)

  it('a line torn by another process after our last look does not take ours with it', async () => {
    const path = nextPath()
    const open = new OpenTier(path)
    await open.put('a', 1)
    appendFileSync(lineFiles(path)[0] as string, '{"op":"set","size":      372,"by')
    // Both changes are in one append, the first is glued to the torn one.
    const changes = [open.put('b', 2), open.tier.remove({ kind: 'name', name: 'users' }), open.put('c', 3)]
    expect(await Promise.all(changes)).toEqual([true, expect.any(Number), true])
    for (const tier of [open, new OpenTier(path)]) {
      expect(await tier.get('a')).toBeUndefined()
      expect(await tier.get('b')).toBeUndefined()
      expect(await tier.get('c')).toBe(3)
    }
  })

  it.for(['glued to the next line', 'ended by the next process'])(
    'a set that was torn was never acknowledged: what it was to replace stays; %s',
    async (how) => {
      const { path, file, bytes } = await filled()
      const lines = starts(bytes)
      // The line of `f`, the last one, again: cut at every byte behind its head, where its key can be told.
      const line = bytes.subarray(lines.at(-2), lines.at(-1))
      const follower = bytes.subarray(lines.at(-3), lines.at(-2))
      for (let cut = 300; cut < line.byteLength - 1; cut++) {
        const end = Buffer.from(how.startsWith('glued') ? '' : '\n')
        writeFileSync(file, Buffer.concat([bytes, line.subarray(0, cut), end, follower]))
        const open = new OpenTier(path)
        for (const key of KEYS) expect(await open.get(key), `${key}, cut at ${cut}`).toBe(`value of ${key}`)
        expect(open.corrupt).toHaveLength(1)
        await open.tier.close()
      }
    },
  )

  it('a line broken in two by damage was whole once: what it had replaced is not found again', async () => {
    const { path, file, bytes } = await filled()
    const lines = starts(bytes)
    const line = bytes.subarray(lines.at(-2), lines.at(-1))
    const broken = Buffer.from(line)
    broken[line.byteLength - 40] = 10
    const follower = bytes.subarray(lines.at(-3), lines.at(-2))
    // Its own end is gone instead.
    const endless = Buffer.from(line)
    endless[line.byteLength - 1] = 0x78
    for (const damaged of [broken, endless]) {
      writeFileSync(file, Buffer.concat([bytes, damaged, follower]))
      const open = new OpenTier(path)
      expect(await open.get('f')).toBeUndefined()
      expect(await open.get('e')).toBe('value of e')
      await open.tier.close()
    }
  })

  it('a torn line that another line ends by accident is not taken for a whole one', async () => {
    const { path, file, bytes } = await filled()
    const lines = starts(bytes)
    const line = bytes.subarray(lines[1], lines[2])
    // Half of a line, its end, and one more line that ends exactly where the first one said it would.
    const half = line.subarray(0, line.byteLength / 2)
    const rest = line.byteLength - half.byteLength - 1
    const filler = Buffer.from(`${'x'.repeat(rest - 1)}\n`)
    writeFileSync(file, Buffer.concat([bytes, half, Buffer.from('\n'), filler]))
    const open = new OpenTier(path)
    for (const key of KEYS) expect(await open.get(key)).toBe(`value of ${key}`)
    expect(open.corrupt).toHaveLength(2)
  })
})
