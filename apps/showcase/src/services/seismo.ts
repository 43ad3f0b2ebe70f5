import { join } from 'node:path'
import { openGateway } from '@tidemark/seismo/gateway'
import type { Simulator } from '@tidemark/seismo/simulator'
import { listen } from '@tidemark/serve'
import { startFleet } from '../fleet.ts'
import type { Running } from '../running.ts'
import type { Settings } from '../settings.ts'

/** The gateway over simulated units. */
export async function startSeismo(
  { dataDir, host, seismoPort }: Settings,
  running: Running,
): Promise<{ url: string; fleet: Simulator }> {
  const fleet = running.add(await startFleet())
  const gateway = running.add(
    await openGateway({
      path: join(dataDir, 'seismo.db'),
      eventFiles: join(dataDir, 'events'),
      units: fleet.units.map((unit) => `tcp:${unit.host}:${unit.port}`),
      publicHosts: [host],
    }),
  )
  const { url } = running.add(
    await listen({ name: 'seismo', portVariable: 'SEISMO_PORT' }, gateway.fetch, host, seismoPort),
  )
  return { url, fleet }
}
