import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'

/** A service that takes requests. */
export interface Listening {
  /** `http://127.0.0.1:8200/` */
  readonly url: string
  readonly close: () => Promise<void>
}

/** Serves requests at an address. Fails with an `Error` that says what to set when the port is taken. */
export function listen(
  service: { readonly name: string; readonly portVariable: string },
  fetch: (request: Request) => Response | Promise<Response>,
  hostname: string,
  port: number,
): Promise<Listening> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch, hostname, port }, (info: AddressInfo) => {
      const host = info.family === 'IPv6' ? `[${info.address}]` : info.address
      resolve({
        url: `http://${host}:${info.port}/`,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed())
            // Browsers keep connections open; nobody waits for them.
            if ('closeAllConnections' in server) server.closeAllConnections()
          }),
      })
    })
    server.once('error', (error) =>
      reject(
        new Error(
          `${service.name} cannot listen on ${hostname}:${port}: ${error.message}. Set ${service.portVariable} to another port.`,
        ),
      ),
    )
  })
}
