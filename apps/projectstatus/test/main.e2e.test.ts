// The programs as people start them: real processes, the built package.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

let folder: string
const children: ChildProcess[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'projectstatus-main-'))
})

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

interface Running {
  readonly child: ChildProcess
  readonly said: () => string
  readonly complained: () => string
}

function run(program: string, env: Readonly<Record<string, string>> = {}): Running {
  const child = spawn(process.execPath, [fileURLToPath(new URL(`../src/${program}`, import.meta.url))], {
    env: { ...process.env, DATABASE_URL: '', PORT: '0', DATA_DIR: folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  const texts = { said: '', complained: '' }
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (texts.said += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (texts.complained += text))
  return { child, said: () => texts.said, complained: () => texts.complained }
}

const addressIn = (text: string): string => /projectstatus: (http\S+)/.exec(text)?.[1] ?? ''

it('seed fills the database, start serves it and stops at a signal', async () => {
  const seeding = run('seed/seed-main.ts')
  expect(await once(seeding.child, 'exit')).toEqual([0, null])
  expect(seeding.said()).toContain('Added 45 vendors, 1200 work items and 50 deployments')
  const { child, said } = run('main.ts')
  await vi.waitUntil(() => addressIn(said()) !== '', { timeout: 30_000 })
  const { vendors, data_source: source } = (await (await fetch(`${addressIn(said())}vendors`)).json()) as {
    vendors: unknown[]
    data_source: string
  }
  expect([vendors.length, source]).toEqual([45, 'postgresql'])
  child.kill('SIGTERM')
  expect(await once(child, 'exit')).toEqual([0, null])
})

it('starts while its database is down, and says what it cannot know', async () => {
  // Nobody listens at port 9.
  const { child, said } = run('main.ts', { DATABASE_URL: 'postgres://nobody@127.0.0.1:9/none' })
  await vi.waitUntil(() => addressIn(said()) !== '', { timeout: 30_000 })
  const answer = await fetch(`${addressIn(said())}vendors/acme`)
  expect(answer.status).toBe(503)
  expect(await answer.text()).toContain('ECONNREFUSED')
  expect(await (await fetch(`${addressIn(said())}health`)).json()).toMatchObject({ status: 'degraded' })
  child.kill('SIGTERM')
  expect(await once(child, 'exit')).toEqual([0, null])
})

it('settings that do not fit are said in words', async () => {
  const { child, complained } = run('main.ts', { PORT: 'x' })
  expect(await once(child, 'exit')).toEqual([1, null])
  expect(complained()).toContain('PORT')
})
