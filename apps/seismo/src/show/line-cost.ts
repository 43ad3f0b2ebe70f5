import type { Simulator } from '../simulator/start.ts'
import { TcpSeismographClient } from '../unit/tcp-client.ts'
import type { Tally } from './tally.ts'

/** What one request costs on the line without a cache, in milliseconds at a real unit's pace. */
interface LineCost {
  readonly status: number
  /** The full list, as the unit is now. */
  readonly events: number
  /** By event. */
  readonly waveforms: ReadonlyMap<number, number>
}

/** What the same requests cost when each goes to the unit: every kind measured once on every unit, past the cache. */
export async function lineMsWithout({ requests, opened }: Tally, simulator: Simulator): Promise<number> {
  const costs = await Promise.all(
    simulator.units.map((_, unit) => {
      const indexes = opened.filter(([of]) => of === unit).map(([, index]) => index)
      return measureLineCost(simulator, unit, new Set(indexes))
    }),
  )
  const mean = (pick: (cost: LineCost) => number): number =>
    costs.reduce((sum, cost) => sum + pick(cost), 0) / costs.length
  const waveforms = opened.reduce(
    (sum, [unit, index, times]) => sum + times * (costs[unit]?.waveforms.get(index) ?? 0),
    0,
  )
  return requests.status * mean((it) => it.status) + requests.events * mean((it) => it.events) + waveforms
}

/** Asks the unit each question once, past any cache, and reads the line's own count of what that took. */
async function measureLineCost(simulator: Simulator, unit: number, waveforms: Iterable<number>): Promise<LineCost> {
  const { host, port } = simulator.units[unit] as (typeof simulator.units)[number]
  const client = new TcpSeismographClient({ host, port })
  const taking = async (ask: () => Promise<unknown>): Promise<number> => {
    const before = (await simulator.counters(unit)).lineMs
    await ask()
    return (await simulator.counters(unit)).lineMs - before
  }
  try {
    const count = await client.countEvents()
    const cost = {
      status: await taking(() => client.monitorStatus()),
      events: await taking(async () => client.readEvents(0, await client.countEvents())),
      waveforms: new Map<number, number>(),
    }
    for (const index of waveforms) {
      if (index < count) cost.waveforms.set(index, await taking(() => client.readWaveform(index)))
    }
    return cost
  } finally {
    await client.close()
  }
}
