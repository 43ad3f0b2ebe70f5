import type { Simulator } from '../simulator/start.ts'
import { TcpSeismographClient } from '../unit/tcp-client.ts'

/** What one request costs on the line without a cache, in milliseconds at a real unit's pace. */
export interface LineCost {
  readonly status: number
  /** The full list, as the unit is now. */
  readonly events: number
  /** By event. */
  readonly waveforms: ReadonlyMap<number, number>
}

/** Asks the unit each question once, past any cache, and reads the line's own count of what that took. */
export async function measureLineCost(
  simulator: Simulator,
  unit: number,
  waveforms: Iterable<number>,
): Promise<LineCost> {
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
