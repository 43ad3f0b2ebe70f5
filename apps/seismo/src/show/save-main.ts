// Saves event files until it is killed: save-main.ts ROOT SEED. Says each one that is kept, with its hash.

import { writeSync } from 'node:fs'
import { DeviceCache } from '../cache/device-cache.ts'
import { EventFiles } from '../event-file/event-files.ts'
import { framesOf } from '../event-file/frames.ts'
import { Random } from '../simulator/random.ts'
import { recorded } from './saves.ts'

const [root = '', seed = '0'] = process.argv.slice(2)
const cache = await DeviceCache.open({ path: ':memory:' })
const { store } = new EventFiles(cache, { root })
const random = new Random(Number(seed))
const STDOUT = 1

for (let i = 0; ; i++) {
  // An hour each: the names of all processes together must not reach the end of the names' time, in 2053.
  const recording = recorded(random, Number(seed) * 1_000 + i)
  const { filename, sha256 } = await store.save(
    { serial: 'BE11529', recording, project: undefined },
    framesOf(recording),
  )
  // At once: what is said afterwards may be lost with the process.
  writeSync(STDOUT, `${filename} ${sha256}\n`)
}
