import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const ANY_PORTS = Object.fromEntries(
  ['PORT', 'SEISMO_PORT', 'STATEHUB_PORT', 'PROJECTSTATUS_PORT', 'PROXYPOOL_PORT'].map((name) => [name, '0']),
)
let folder: string
let child: ChildProcess
let said: string

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'showcase-'))
  const env = { ...process.env, ...ANY_PORTS, DATA_DIR: folder }
  child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  said = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (said += text))
  await vi.waitUntil(() => said.includes('Stop with Ctrl-C'), { timeout: 100_000 })
})

afterEach(() => {
  child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

const addressOf = (name: string): string => new RegExp(`${name}\\s+(http\\S+)`).exec(said)?.[1] ?? ''

async function json(url: string): Promise<Record<string, unknown>> {
  return (await (await fetch(url)).json()) as Record<string, unknown>
}

it('prints its addresses, serves the main job, and Ctrl-C stops all of it', async () => {
  const landing = await (await fetch(addressOf('Tidemark showcase'))).text()
  const gateway = addressOf('Seismograph gateway')
  expect(landing).toContain(gateway)
  const { units } = (await json(`${gateway}fleet`)) as { units: { address: { host: string; tcpPort: number } }[] }
  expect(units).toHaveLength(4)
  const { host, tcpPort } = units[0]?.address ?? { host: '', tcpPort: 0 }
  const query = `?host=${host}&tcp_port=${tcpPort}`
  expect(await json(`${gateway}device/info${query}`)).toMatchObject({ cache: { tier: 'source' } })
  expect(await json(`${gateway}device/info${query}`)).toMatchObject({ cache: { tier: 'memory' } })

  const deed = (name: string): Promise<Response> =>
    fetch(`${addressOf('Tidemark showcase')}units/0/${name}`, { method: 'POST', redirect: 'manual' })
  const before = await json(`${gateway}device/events${query}`)
  await deed('record')
  expect(await json(`${gateway}device/events${query}`)).toMatchObject({
    count: (before['count'] as number) + 1,
    added: 1,
  })
  await deed('erase')
  expect(await json(`${gateway}device/events${query}`)).toMatchObject({ count: 0, era: 'new' })
  await deed('unplug')
  expect((await fetch(`${gateway}device/info${query}&force=true`)).status).toBe(503)
  expect((await deed('nothing')).status).toBe(404)

  const summary = await fetch(`${addressOf('State summary')}state/summary`)
  expect(summary.status).toBe(200)
  expect((await fetch(summary.url)).headers.get('x-statehub-cache')).toBe('hit-revision')
  const projects = addressOf('Project status')
  expect(await json(`${projects}vendors`)).toMatchObject({ data_source: 'postgresql' })

  const pool = addressOf('Proxy pool')
  await expect.poll(async () => (await fetch(`${pool}proxies/next`)).status, { timeout: 10_000 }).toBe(200)

  const exited = once(child, 'exit')
  child.kill('SIGINT')
  expect(await exited).toEqual([0, null])
  const [error] = (await once(connect({ host, port: tcpPort }), 'error')) as [NodeJS.ErrnoException]
  expect(error.code).toBe('ECONNREFUSED')
})

it('a port that is taken is said in words, with the variable to set', async () => {
  const port = new URL(addressOf('Seismograph gateway')).port
  const env = { ...process.env, ...ANY_PORTS, SEISMO_PORT: port, DATA_DIR: join(folder, 'second') }
  const second = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  let complaint = ''
  second.stderr?.setEncoding('utf8').on('data', (text: string) => (complaint += text))
  expect(await once(second, 'exit')).toEqual([1, null])
  expect(complaint).toContain(`cannot listen on 127.0.0.1:${port}`)
  expect(complaint).toContain('SEISMO_PORT')
})
