// The gateway of the show, as a process of its own: node gateway-main.ts FOLDER SCALE. Says where it listens to its parent,
// and how it fared when it is asked.

import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { listen } from '@tidemark/serve'
import { openGateway } from '../gateway.ts'
import { FastClock } from './fast-clock.ts'

/** How the gateway's process fared since it was asked last. */
export interface Fared {
  readonly cpuMs: number
  /** The longest that anything held up its event loop. */
  readonly stallMs: number
}

const RESOLUTION_MS = 2

const [folder = '.', scale = '20'] = process.argv.slice(2)
const gateway = await openGateway({
  path: join(folder, 'cache.db'),
  eventFiles: join(folder, 'events'),
  clock: new FastClock(Number(scale)),
})
const server = await listen({ name: 'show', portVariable: 'PORT' }, gateway.fetch, '127.0.0.1', 0)
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
let before = process.cpuUsage()
process.on('message', () => {
  const { user, system } = process.cpuUsage(before)
  const fared: Fared = { cpuMs: (user + system) / 1000, stallMs: delay.max / 1e6 - RESOLUTION_MS }
  process.send?.(fared)
  delay.reset()
  before = process.cpuUsage()
})
process.once('disconnect', () => {
  void Promise.all([server.close(), gateway.close()]).then(() => process.exit())
})
process.send?.({ url: server.url })
delay.enable()
