import { connect } from 'node:net'
import { startSimulator, type Simulator } from '@tidemark/seismo/simulator'

const UNITS = 4
/** Twenty times faster than a real unit over a modem: slow enough to see what the cache saves. */
const SCALE = 20
/** The same ports each time, so that what was cached yesterday belongs to the same units today. */
const FIRST_PORT = 12_345

/** Starts the simulated seismographs. */
export async function startFleet(): Promise<Simulator> {
  const isFree = (await Promise.all(Array.from({ length: UNITS }, (_, i) => isTaken(FIRST_PORT + i)))).every(
    (it) => !it,
  )
  return startSimulator({ units: UNITS, scale: SCALE, port: isFree ? FIRST_PORT : 0 })
}

function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('close', () => socket.destroy())
    socket.once('connect', () => socket.end())
  })
}
