import { setTimeout as sleep } from 'node:timers/promises'
import { percentile, type Readers, type Sample } from './readers.ts'
import type { Trouble } from './outages.ts'
import type { Stand } from './stand.ts'

/** What readers saw of one outage, and of the way back. */
export interface Figures {
  readonly reads: number
  readonly failed: number
  readonly unsaid: number
  readonly fromCache: number
  /** Of all reads, also those that found out. */
  readonly slowestMs: number
  /** Reads that began after the breaker had opened. */
  readonly p99OpenMs: number
  /** From the end of the trouble until reads asked PostgreSQL again. */
  readonly backAfterMs: number
  readonly warmedKeys: number
  readonly mostQueriesOnReturn: number
}

const PATIENCE_MS = 60_000

/** One trouble, under readers, and back. Fails with an `Error` when the service does not come back or is not warmed. */
export async function weather(stand: Stand, readers: Readers, trouble: Trouble, lastsMs: number): Promise<Figures> {
  const { service, events } = stand
  readers.take()
  const end = await trouble.begin(stand)
  await until('the breaker opens', () => service.cache.source.state === 'open')
  await sleep(lastsMs)
  const during = readers.take()
  const before = events.length
  stand.mostQueries()
  const ended = performance.now()
  await end()
  await until('PostgreSQL is asked again', () => service.cache.source.state === 'up')
  const backAfterMs = performance.now() - ended
  const warmed = (): number | undefined =>
    events
      .slice(before)
      .flatMap((event) => (event.type === 'warm-up' && event.done === event.total ? [event.total] : []))
      .at(-1)
  await until('the warm-up is complete', () => warmed() !== undefined)
  const mostQueriesOnReturn = stand.mostQueries()
  const samples = [...during, ...readers.take()]
  return {
    ...summed(samples),
    slowestMs: Math.max(...samples.map(({ tookMs }) => tookMs)),
    p99OpenMs: percentile(
      during.filter(({ wasLeftAlone }) => wasLeftAlone).map(({ tookMs }) => tookMs),
      0.99,
    ),
    backAfterMs,
    warmedKeys: warmed() ?? 0,
    mostQueriesOnReturn,
  }
}

function summed(samples: readonly Sample[]): Pick<Figures, 'reads' | 'failed' | 'unsaid' | 'fromCache'> {
  const count = (is: (sample: Sample) => boolean): number => samples.filter(is).length
  return {
    reads: samples.length,
    failed: count(({ status }) => status !== 200),
    unsaid: count(({ source }) => source === undefined),
    fromCache: count(({ source }) => source === 'cache'),
  }
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  const began = performance.now()
  while (!isSo()) {
    if (performance.now() - began > PATIENCE_MS) throw new Error(`Waited in vain for this: ${what}.`)
    await sleep(5)
  }
}
