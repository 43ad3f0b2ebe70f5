import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createTidemark, memory, sqlite, type Tidemark } from 'tidemark'
import { undiciStore } from 'tidemark/undici'
import { Agent, interceptors, request } from 'undici'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { testFolder } from '../folder.ts'

const folder = testFolder()
let server: Server
let origin: string
let asked: number

beforeEach(async () => {
  asked = 0
  server = createServer((incoming, outgoing) => {
    asked++
    outgoing.setHeader('cache-control', 'public, max-age=60')
    if (incoming.url === '/varying') outgoing.setHeader('vary', 'accept-language')
    outgoing.end(
      incoming.url === '/large' ? Buffer.alloc(200_000, 'x') : `${incoming.headers['accept-language']} ${asked}`,
    )
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterEach(() => void server.close())

async function ask(
  tide: Tidemark,
  store: ReturnType<typeof undiciStore>,
  paths: readonly [string, string?][],
): Promise<string[]> {
  const dispatcher = new Agent().compose(interceptors.cache({ store }))
  const answers: string[] = []
  for (const [path, language = 'en'] of paths) {
    const { body } = await request(`${origin}${path}`, { dispatcher, headers: { 'accept-language': language } })
    answers.push(await body.text())
    // The store's stream ends after the answer does.
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await dispatcher.close()
  await tide.close()
  return answers
}

it('a cached response is served without asking, also by the next process', async () => {
  const path = join(folder, 'http.db')
  const open = (): Tidemark => createTidemark({ tiers: [memory(), sqlite({ path })] })
  const first = open()
  expect(await ask(first, undiciStore(first), [['/a'], ['/a']])).toEqual(['en 1', 'en 1'])
  const second = open()
  expect(await ask(second, undiciStore(second), [['/a']])).toEqual(['en 1'])
  expect(asked).toBe(1)
})

it('responses that vary are kept side by side', async () => {
  const tide = createTidemark({ tiers: [memory()] })
  const answers = await ask(tide, undiciStore(tide), [
    ['/varying', 'en'],
    ['/varying', 'de'],
    ['/varying', 'en'],
    ['/varying', 'de'],
  ])
  expect(answers).toEqual(['en 1', 'de 2', 'en 1', 'de 2'])
})

it('one that is too large is answered and not kept', async () => {
  const tide = createTidemark({ tiers: [memory()] })
  const answers = await ask(tide, undiciStore(tide, { maxEntryBytes: 100_000 }), [['/large'], ['/large']])
  expect([answers.map((it) => it.length), asked]).toEqual([[200_000, 200_000], 2])
})
