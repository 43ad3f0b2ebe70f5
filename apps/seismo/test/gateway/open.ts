import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from 'tidemark'
import { openGateway, type Gateway, type GatewayOptions } from '../../src/gateway.ts'
import { startSimulator, type Simulator, type SimulatorOptions } from '../../src/simulator/start.ts'

/** An answer, read. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, unknown> & {
    readonly error?: {
      readonly code: string
      readonly message: string
      readonly parameter?: string
      readonly hint?: string
    }
    readonly cache?: {
      readonly state: string
      readonly reason: string
      readonly tier: string
      readonly age_seconds: number
    }
  }
}

/** A gateway over a simulated fleet, both real, and a way to ask it. */
export interface Rig extends AsyncDisposable {
  readonly simulator: Simulator
  readonly gateway: Gateway
  /** Connection keys, by place in the simulator. */
  readonly units: readonly string[]
  /** Asks about a unit: `ask(0, 'GET', '/device/info')`. */
  ask(unit: number, method: string, path: string, init?: RequestInit): Promise<Answer>
  /** The folder of event files, where there is one. */
  readonly eventFiles: string
  /** Closes the gateway and opens it again on the same files; `forget`: with an empty cache. */
  reopen(how?: { readonly forget?: boolean; readonly withoutFiles?: boolean }): Promise<void>
}

/** Starts both; fast, with a database in a folder that goes when the rig does, and with event files if asked for. */
export async function openRig(
  simulated: SimulatorOptions,
  {
    withFiles = false,
    ...options
  }: { readonly clock?: Clock; readonly withFiles?: boolean } & Omit<GatewayOptions, 'path' | 'eventFiles'> = {},
): Promise<Rig> {
  const folder = mkdtempSync(join(tmpdir(), 'seismo-'))
  const simulator = await startSimulator({ scale: 2000, ...simulated })
  const eventFiles = join(folder, 'events')
  const open = (isFiling: boolean): Promise<Gateway> =>
    openGateway({ ...options, path: join(folder, 'cache.db'), ...(isFiling ? { eventFiles } : {}) })
  let gateway = await open(withFiles)
  const ask = async (unit: number, method: string, path: string, init: RequestInit = {}): Promise<Answer> => {
    const { host, port } = simulator.units[unit] ?? { host: '127.0.0.1', port: 1 }
    const url = new URL(path, 'http://127.0.0.1:8200')
    url.searchParams.set('host', host)
    url.searchParams.set('tcp_port', String(port))
    return read(await gateway.fetch(new Request(url, { method, ...init })))
  }
  return {
    simulator,
    get gateway() {
      return gateway
    },
    units: simulator.units.map(({ host, port }) => `tcp:${host}:${port}`),
    ask,
    eventFiles,
    reopen: async ({ forget = false, withoutFiles = false } = {}) => {
      await gateway.close()
      if (forget)
        for (const name of readdirSync(folder))
          if (name.startsWith('cache.db')) rmSync(join(folder, name), { recursive: true })
      gateway = await open(withFiles && !withoutFiles)
    },
    [Symbol.asyncDispose]: async () => {
      await gateway.close()
      await simulator.stop()
      rmSync(folder, { recursive: true })
    },
  }
}

/** Reads an answer of JSON. */
export async function read(response: Response): Promise<Answer> {
  return { status: response.status, headers: response.headers, body: (await response.json()) as Answer['body'] }
}
