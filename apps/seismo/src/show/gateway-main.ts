// The gateway of the show, as a process of its own: node gateway-main.ts PATH SCALE. Says its port to its parent.

import { serve } from '@hono/node-server'
import { openGateway } from '../gateway.ts'
import { FastClock } from './fast-clock.ts'

const [path = ':memory:', scale = '20'] = process.argv.slice(2)
const gateway = await openGateway({ path, clock: new FastClock(Number(scale)) })
const server = serve({ fetch: gateway.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => process.send?.({ port }))
process.once('disconnect', () => {
  server.close()
  void gateway.close().then(() => process.exit())
})
