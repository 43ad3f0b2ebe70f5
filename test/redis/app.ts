import type { Redis } from 'ioredis'
import { redis } from 'tidemark/redis'
import { appOver, type App as AnyApp, type AppOptions as AnyAppOptions } from '../tier/app.ts'
import type { PrivateServer } from './server.ts'

export { pause, timed, until } from '../tier/app.ts'

/** What one application over a Redis can be made with. */
export interface AppOptions extends AnyAppOptions {
  /** `false`: no connection for news; Redis is asked for them. */
  readonly withNews?: boolean
  /** Ports of lines to the server, for commands and for news. */
  readonly port?: number
  readonly newsPort?: number
}

/** One application: a cache with connections of its own, as in a process of its own. */
export interface App extends AnyApp {
  readonly client: Redis
}

/** Starts an application over a server; it ends with the test. */
export function startApp(server: PrivateServer, options: AppOptions = {}): App {
  const { withNews = true } = options
  const client = server.connect(options.port)
  const news = withNews ? server.connect(options.newsPort ?? options.port) : undefined
  const app = appOver(redis({ client, subscriber: news }), options, () => {
    client.disconnect()
    news?.disconnect()
  })
  return { ...app, client }
}
