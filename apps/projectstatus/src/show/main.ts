// What the service promises about outages, with figures, over a real PostgreSQL that is stopped, hung and broken off:
// npm run show -w apps/projectstatus

import { TROUBLES } from './outages.ts'
import { postgresPrograms } from './private-postgres.ts'
import { percentile, Readers } from './readers.ts'
import { openStand, type Stand } from './stand.ts'
import { weather } from './storm.ts'

const READS_PER_SECOND = 500
const OUTAGE_MS = 5_000
const HARD_MS = 2_000
/** What a busy machine adds to a deadline. */
const SLACK_MS = 100
const WORK_ITEMS_READ = 150

let isMet = true
const programs = postgresPrograms()
if (programs === undefined) throw new Error('Install PostgreSQL first: this needs its initdb and pg_ctl.')
console.log('Making and filling a PostgreSQL of its own …')
await using stand = await openStand(programs, { perSecond: 200 })
await speed(stand)
const paths = await pathsOf(stand)
{
  await using readers = new Readers(stand.service, paths, READS_PER_SECOND)
  // Every key is read once before anything happens.
  await new Promise((resolve) => setTimeout(resolve, (1_000 * paths.length) / READS_PER_SECOND + 1_000))
  for (const trouble of TROUBLES) {
    const it = await weather(stand, readers, trouble, OUTAGE_MS)
    console.log(`\n${trouble.title}; ${READS_PER_SECOND} reads/s`)
    report('reads', `${it.reads}, of them ${it.fromCache} from the cache`, it.reads > 0 && it.fromCache > 0)
    report('reads of cached keys that failed', `${it.failed} (target 0)`, it.failed === 0)
    report('answers that do not say where they are from', `${it.unsaid} (target 0)`, it.unsaid === 0)
    report('slowest read', `${it.slowestMs.toFixed(0)} ms (target ≤ ${HARD_MS})`, it.slowestMs <= HARD_MS + SLACK_MS)
    report('p99 once it is left alone', `${it.p99OpenMs.toFixed(1)} ms (target < 20)`, it.p99OpenMs < 20)
    report('asked again', `${(it.backAfterMs / 1000).toFixed(1)} s after it was back`, it.backAfterMs < 15_000)
    report('warmed', `${it.warmedKeys} keys (target all ${paths.length} that were read)`, it.warmedKeys >= paths.length)
    const most = it.mostQueriesOnReturn
    report('queries at a time on return', `at most ${most} (target ≤ 10)`, most <= 10 && most > 0)
  }
}
await offline(stand)
console.log(isMet ? '\nAll targets met.' : '\nNOT all targets met.')
process.exitCode = isMet ? 0 : 1

/** Lookups, and everything at once. */
async function speed({ service }: Stand): Promise<void> {
  const tookMs = await everything(service.fetch)
  report('GET /status of 45 + 1 200 + 50 rows from PostgreSQL', tookMs.text, tookMs.p95 < 100)
  const { vendors } = (await (await ask(service.fetch, '/vendors')).json()) as { vendors: { name: string }[] }
  const lookups: number[] = []
  for (let i = 0; i < 20_000; i++) {
    const began = performance.now()
    await service.cache.getVendor((vendors[i % vendors.length] as { name: string }).name)
    lookups.push(performance.now() - began)
  }
  const p95 = percentile(lookups, 0.95)
  report('lookup in the cache', `p95 ${p95.toFixed(4)} ms (target < 1)`, p95 < 1)
}

/** Everything at once while PostgreSQL is gone. */
async function offline({ service, proxy }: Stand): Promise<void> {
  await proxy.refuse()
  while (service.cache.source.state === 'up') await ask(service.fetch, '/vendors')
  const tookMs = await everything(service.fetch)
  console.log()
  report('GET /status of as many rows from the cache', tookMs.text, tookMs.p95 < 100)
  await proxy.open()
}

async function everything(fetch: Stand['service']['fetch']): Promise<{ p95: number; text: string }> {
  const samples: number[] = []
  for (let i = 0; i < 50; i++) {
    const began = performance.now()
    await (await ask(fetch, '/status')).text()
    samples.push(performance.now() - began)
  }
  const [p50, p95] = [percentile(samples, 0.5), percentile(samples, 0.95)]
  return { p95, text: `p50 ${p50.toFixed(1)} ms, p95 ${p95.toFixed(1)} ms (target < 100)` }
}

async function pathsOf({ service }: Stand): Promise<string[]> {
  const { vendors, work_items: items } = (await (await ask(service.fetch, '/status')).json()) as {
    vendors: { name: string }[]
    work_items: { id: string }[]
  }
  return [
    ...vendors.map(({ name }) => `/vendors/${encodeURIComponent(name)}`),
    ...items.slice(0, WORK_ITEMS_READ).map(({ id }) => `/work-items/${id}`),
    '/status',
  ]
}

async function ask(fetch: Stand['service']['fetch'], path: string): Promise<Response> {
  return fetch(new Request(`http://127.0.0.1${path}`))
}

function report(what: string, figures: string, met: boolean): void {
  isMet &&= met
  console.log(`${met ? 'met ' : 'MISS'}  ${what}: ${figures}`)
}
