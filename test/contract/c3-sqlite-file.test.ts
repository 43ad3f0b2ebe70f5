// C3 on real files: damaged, locked, full, read-only and vanished databases. Reads go on, nothing old comes back, the tier recovers.

import { spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  createTidemark,
  isTidemarkError,
  memory,
  sqlite,
  untilInvalidated,
  type Tidemark,
  type TidemarkEvent,
} from 'tidemark'
import { testFolder } from '../folder.ts'
import { longestStallMs } from '../process/stall.ts'
import { fillDisk, requireSmallDisks, smallDisk } from '../small-disk.ts'
import { settled } from './stacks.ts'

const folder = testFolder()
let files = 0
const nextPath = (): string => join(folder, `f${++files}`, 'cache.db')

/** A cache by real time over one file, with nothing in memory unless asked for. */
function open(
  path: string,
  withMemory = false,
): { tide: Tidemark; events: TidemarkEvent[]; users: ReturnType<typeof usersOf> } {
  const tide = createTidemark({ tiers: withMemory ? [memory(), sqlite({ path })] : [sqlite({ path })] })
  onTestFinished(() => tide.close())
  const events: TidemarkEvent[] = []
  tide.on('event', (event) => events.push(event))
  return { tide, events, users: usersOf(tide) }
}

const usersOf = (tide: Tidemark) =>
  tide.resource<string, string>({
    name: 'users',
    load: async () => 'LOADED',
    freshness: untilInvalidated(),
    scope: () => 's',
  })

async function fill(path: string, rows: number): Promise<void> {
  const { tide, users } = open(path)
  await Promise.all(Array.from({ length: rows }, (_, i) => users.set(`k${i}`, valueAt(i))))
  await tide.close()
}

const valueAt = (i: number): string => `value ${i} ${'x'.repeat(100)}`
const stateOf = async (tide: Tidemark): Promise<string | undefined> => (await tide.tiers()).at(-1)?.state
const until = async (holds: () => Promise<boolean>, withinMs = 10_000): Promise<void> => {
  const giveUpAt = performance.now() + withinMs
  while (!(await holds())) {
    if (performance.now() > giveUpAt) throw new Error(`not within ${withinMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

describe('corrupt-file', () => {
  const damages: readonly (readonly [string, (path: string) => void])[] = [
    ['garbage from the start', (path) => writeFileSync(path, Buffer.alloc(20_000, 'garbage!'))],
    ['truncated in the middle', (path) => writeFileSync(path, readFileSync(path).subarray(0, 9_000))],
    ['truncated to nothing but a header', (path) => writeFileSync(path, readFileSync(path).subarray(0, 100))],
    ['overwritten behind the first page', (path) => overwrite(path, 4096, 40_000)],
    ['overwritten in the schema', (path) => overwrite(path, 100, 3_900)],
  ]
  const overwrite = (path: string, at: number, bytes: number): void => {
    const file = openSync(path, 'r+')
    writeSync(file, Buffer.alloc(bytes, 0xa5), 0, bytes, at)
    closeSync(file)
  }

  it.for(damages)('%s, at open: moved aside, a new file serves', async ([, damage]) => {
    const path = nextPath()
    await fill(path, 500)
    damage(path)
    const { tide, users, events } = open(path)
    for (let i = 0; i < 500; i++) expect([valueAt(i), 'LOADED']).toContain(await users.get(`k${i}`))
    await users.set('new', 'new')
    expect(await users.get('new')).toBe('new')
    const aside = readdirSync(dirname(path)).filter((name) => name.includes('.corrupt-'))
    expect(aside).toHaveLength(1)
    expect(events.some((event) => event.type === 'corrupt')).toBe(true)
    expect(await stateOf(tide)).toBe('up')
    await tide.close()
    const again = open(path)
    expect(await again.users.get('new')).toBe('new')
  })

  it('in use: the read that meets it is a miss, the tier goes on with a new file', async () => {
    const path = nextPath()
    await fill(path, 2_000)
    const { tide, users, events } = open(path)
    await users.get('k0')
    // Behind SQLite's back, through another process: this one must not open the file a second time.
    const script = `const fs=require('fs');const f=fs.openSync(${JSON.stringify(path)},'r+');const n=fs.fstatSync(f).size;fs.writeSync(f,Buffer.alloc(n-4096,0xa5),0,n-4096,4096);fs.closeSync(f)`
    spawnSync(process.execPath, ['-e', script])
    for (let i = 0; i < 2_000; i += 50) expect([valueAt(i), 'LOADED']).toContain(await users.get(`k${i}`))
    expect(events.some((event) => event.type === 'corrupt')).toBe(true)
    await users.set('new', 'new')
    expect(await users.get('new')).toBe('new')
    expect(await stateOf(tide)).toBe('up')
  })

  it('only the newest damaged file is kept', async () => {
    const path = nextPath()
    for (let i = 0; i < 3; i++) {
      await fill(path, 10)
      writeFileSync(path, 'not a database, not even close to one')
      const { tide } = open(path)
      await tide.close()
    }
    expect(readdirSync(dirname(path)).filter((name) => name.includes('.corrupt-'))).toHaveLength(1)
  })
})

it('bit-flip: any flipped bit is a miss and a count, never a wrong value [proxies S6]', async () => {
  const path = nextPath()
  await fill(path, 300)
  const good = readFileSync(path)
  let corrupt = 0
  let seed = 12_345
  for (let round = 0; round < 150; round++) {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    const bad = Buffer.from(good)
    // Anywhere behind the file's header page: rows, indexes, free space.
    const at = 4096 + (seed % (good.byteLength - 4096))
    bad[at] = (bad[at] as number) ^ (1 << (seed % 8))
    const copy = nextPath()
    mkdirSync(dirname(copy), { recursive: true })
    writeFileSync(copy, bad)
    const { tide, users } = open(copy)
    for (let i = 0; i < 300; i++) {
      const value = await users.get(`k${i}`)
      if (value !== valueAt(i)) expect(value, `round ${round}, byte ${at}`).toBe('LOADED')
    }
    corrupt += (await users.stats()).corrupt
    await tide.close()
    rmSync(dirname(copy), { recursive: true })
  }
  expect(corrupt, 'some flips hit values').toBeGreaterThan(20)
}, 60_000)

describe('busy-database', () => {
  const hold = (path: string, sql: string, ms: number): Promise<void> => {
    const script = `const {DatabaseSync}=require('node:sqlite');const db=new DatabaseSync(${JSON.stringify(path)});db.exec(${JSON.stringify(sql)});console.log('held');setTimeout(()=>{db.close()},${ms})`
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    onTestFinished(() => void child.kill('SIGKILL'))
    return new Promise((resolve) => child.stdout.once('data', () => resolve()))
  }

  it('another process holds the write lock: reads go on, writes wait and are done, the event loop stays free', async () => {
    const path = nextPath()
    await fill(path, 100)
    const { tide, users, events } = open(path, true)
    await users.get('k0')
    await hold(path, 'BEGIN EXCLUSIVE', 2_000)
    const stallMs = await longestStallMs(async () => {
      const pending = [users.set('k1', 'new'), users.delete('k2')]
      for (let i = 3; i < 100; i++) {
        const startedAt = performance.now()
        expect(await users.get(`k${i}`)).toBe(valueAt(i))
        expect(performance.now() - startedAt).toBeLessThan(1_000)
      }
      await Promise.all(pending)
    })
    expect(stallMs).toBeLessThan(500)
    expect(events.filter(({ type }) => type === 'tier-failed')).toEqual([])
    await tide.close()
    const again = open(path)
    expect(await again.users.get('k1')).toBe('new')
    expect(await again.users.get('k2')).toBe('LOADED')
  })

  it('for longer than a writer waits: the change is journaled, holds here at once and in the file afterwards', async () => {
    const path = nextPath()
    await fill(path, 10)
    const { tide, users } = open(path)
    await hold(path, 'BEGIN EXCLUSIVE', 7_000)
    const startedAt = performance.now()
    await users.delete('k1')
    expect(performance.now() - startedAt).toBeGreaterThan(4_000)
    expect(await users.get('k1')).toBe('LOADED')
    await until(async () => (await stateOf(tide)) === 'up', 20_000)
    await tide.close()
    const again = open(path)
    expect(await again.users.get('k1')).toBe('LOADED')
    expect(await again.users.get('k2')).toBe(valueAt(2))
  }, 40_000)

  it('locked even for readers: a get answers from the other tiers or the source, and the tier comes back', async () => {
    const path = nextPath()
    await fill(path, 100)
    await hold(path, 'PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; UPDATE entries SET visited = 1; COMMIT', 1_500)
    const { tide, users } = open(path, true)
    const stallMs = await longestStallMs(async () => {
      for (let i = 1; i < 50; i++) {
        const startedAt = performance.now()
        expect([valueAt(i), 'LOADED']).toContain(await users.get(`k${i}`))
        expect(performance.now() - startedAt).toBeLessThan(1_000)
      }
    })
    expect(stallMs).toBeLessThan(500)
    await until(async () => (await stateOf(tide)) === 'up', 20_000)
  }, 40_000)
})

requireSmallDisks(() => {
  it('disk-full: reads go on, writes degrade to memory and are counted, freed space means recovery without restart', async () => {
    const folder = smallDisk('1m')
    const path = join(folder, 'cache.db')
    const { tide, users, events } = open(path, true)
    for (let i = 0; i < 50; i++) await users.set(`early${i}`, valueAt(i))
    const free = fillDisk(folder)
    for (let i = 0; i < 1_000 && (await stateOf(tide)) !== 'read-only'; i++)
      await users.set(`late${i}`, 'y'.repeat(500))
    expect(await stateOf(tide)).toBe('read-only')
    expect(events.some((event) => event.type === 'tier-failed' && isTidemarkError(event.error, 'tier-full'))).toBe(true)
    expect(await users.get('early7')).toBe(valueAt(7))
    await users.set('during', 'during')
    expect(await users.get('during')).toBe('during')
    await users.delete('early8')
    expect(await users.get('early8')).toBe('LOADED')
    free()
    await until(async () => (await stateOf(tide)) === 'up', 25_000)
    await users.set('after', 'after')
    await tide.close()
    const again = open(path)
    expect(await again.users.get('after')).toBe('after')
    expect(await again.users.get('during')).toBe('during')
    expect(await again.users.get('early8')).toBe('LOADED')
    await again.tide.close()
  }, 60_000)

  it('disk-full: a removal on a disk with no byte left is done all the same, also for the next process', async () => {
    const folder = smallDisk('400k')
    const path = join(folder, 'cache.db')
    const { tide, users } = open(path)
    for (let i = 0; i < 100; i++) await users.set(`k${i}`, valueAt(i))
    fillDisk(folder)
    for (let i = 0; i < 100; i += 7) await users.delete(`k${i}`)
    await tide.close()
    const again = open(path)
    for (let i = 0; i < 100; i += 7) expect(await again.users.get(`k${i}`)).toBe('LOADED')
    await again.tide.close()
  }, 60_000)
})

describe('files that change under us', () => {
  it('missing-directory: is made, private', async () => {
    const path = join(folder, 'deep', 'er', 'still', 'cache.db')
    const { users } = open(path)
    await users.set('a', 'a')
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700)
    for (const name of readdirSync(dirname(path)))
      expect(statSync(join(dirname(path), name)).mode & 0o777, name).toBe(0o600)
  })

  it('deleted-under-us: noticed, a new file is started, nothing of the old one is served', async () => {
    const path = nextPath()
    const { users, events } = open(path, true)
    await users.set('a', 'old')
    rmSync(dirname(path), { recursive: true })
    await until(
      async () =>
        existsSync(path) || events.some((event) => event.type === 'tier-state' && event.state === 'quarantined'),
    )
    await until(async () => {
      await users.set('b', 'new')
      return existsSync(path)
    })
    expect(await users.get('b')).toBe('new')
    const other = open(path)
    expect(await other.users.get('b')).toBe('new')
  })

  it.for([
    ['read-only-directory', 'read-only'],
    ['too-many-files', 'too-many-files'],
  ] as const)('%s: reads served, one clear event, in a process of its own', async ([, trouble]) => {
    const path = nextPath()
    mkdirSync(dirname(path), { recursive: true })
    chmodSync(folder, 0o755)
    const main = fileURLToPath(new URL('../process/trouble-main.ts', import.meta.url))
    const command = trouble === 'too-many-files' ? `ulimit -n 40; exec "$0" "$@"` : `exec "$0" "$@"`
    const { stdout, stderr, status } = spawnSync('sh', ['-c', command, process.execPath, main, trouble, path], {
      encoding: 'utf8',
    })
    expect(stderr).toBe('')
    expect(status).toBe(0)
    const report = JSON.parse(stdout) as { values: string[]; states: string[]; final: string; events: number }
    expect(report.values.every((value) => value === 'LOADED')).toBe(true)
    expect(report.events).toBeGreaterThan(0)
    expect(report.states.length, `one event for each change of state: ${report.states.join(', ')}`).toBeLessThanOrEqual(
      4,
    )
    if (trouble === 'read-only') expect(report.final).toBe('read-only')
  })
})

describe('paths that cannot be', () => {
  const codeOf = (act: () => unknown): unknown => {
    try {
      act()
      return undefined
    } catch (error) {
      return isTidemarkError(error) ? error.code : error
    }
  }

  it('a directory is refused at once, naming the option, and nothing in it is touched', () => {
    const path = join(folder, 'a-directory')
    mkdirSync(path)
    writeFileSync(join(path, 'precious'), 'data')
    expect(codeOf(() => sqlite({ path }))).toBe('invalid-option')
    expect(readdirSync(path)).toEqual(['precious'])
  })

  it("another program's database is refused, and nothing in it is touched", () => {
    const path = join(folder, 'foreign.db')
    const db = new DatabaseSync(path)
    db.exec("CREATE TABLE customers (name TEXT); INSERT INTO customers VALUES ('Ada')")
    db.close()
    const before = readFileSync(path)
    expect(codeOf(() => createTidemark({ tiers: [sqlite({ path })] }))).toBe('tier-foreign')
    const back = new DatabaseSync(path)
    expect(back.prepare('SELECT name FROM customers').get()).toEqual({ name: 'Ada' })
    back.close()
    expect(readFileSync(path).byteLength).toBe(before.byteLength)
  })

  it("a newer version's file is refused, and nothing in it is touched", async () => {
    const path = nextPath()
    await fill(path, 1)
    const db = new DatabaseSync(path)
    db.exec('PRAGMA user_version = 99')
    db.close()
    expect(codeOf(() => createTidemark({ tiers: [sqlite({ path })] }))).toBe('tier-newer')
  })
})

it('no-unhandled-rejection, no-leak: a process that used the cache and did not close it ends by itself [proxies 38]', async () => {
  const path = nextPath()
  const main = fileURLToPath(new URL('../process/exit-main.ts', import.meta.url))
  const { stdout, stderr, status } = spawnSync(process.execPath, [main, path], { encoding: 'utf8', timeout: 10_000 })
  expect({ stdout, stderr, status }).toEqual({ stdout: 'value\n', stderr: '', status: 0 })
  const { users } = open(path)
  expect(await users.get('a'), 'and what it acknowledged is there').toBe('value')
  await settled()
})
