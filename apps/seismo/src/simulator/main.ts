// node apps/seismo/src/simulator/main.ts --units 4 --port 12345 --scale 20 --seed 1 --events 5-120
// Prints one line of JSON when every unit takes calls: { "units": [{ "host", "port", "serial" }], "control": { "host", "port" }, "scale" }

import { parseArgs } from 'node:util'
import { ControlServer } from './control-server.ts'
import { Fleet, type FleetOptions } from './fleet.ts'

const USAGE = `Simulated seismographs, each a TCP server.

  --units 4          how many
  --port 12345       the first one's port, the others follow; 0 for any that are free
  --control-port 0   where commands are taken; 0 for any that is free
  --host 127.0.0.1   the address to listen at
  --scale 20         how many times faster than real units; 1 is real
  --seed 1           the same seed makes the same fleet
  --events 5-120     how many events a unit starts with: a number, or somewhere between two
`

await run()

async function run(): Promise<void> {
  let options: FleetOptions & { controlPort: number }
  try {
    options = readOptions()
  } catch (error) {
    return fail(`${(error as Error).message}\n\n${USAGE}`)
  }
  const fleet = new Fleet(options)
  const control = new ControlServer(fleet)
  const stop = (): void => void Promise.all([fleet.close(), control.close()]).then(() => process.exit())
  process.once('SIGTERM', stop).once('SIGINT', stop)
  // Started by another program: live no longer than it does, however it ends.
  process.once('disconnect', stop)
  try {
    await fleet.listen()
    const controlPort = await control.listen(options.host, options.controlPort)
    const units = fleet.units.map(({ host, port, unit }) => ({ host, port, serial: unit.serial }))
    console.log(JSON.stringify({ units, control: { host: options.host, port: controlPort }, scale: options.scale }))
  } catch (error) {
    await fleet.close()
    fail(`Cannot listen: ${(error as Error).message}. Choose another --port or --control-port; 0 takes any free one.\n`)
  }
}

function readOptions(): FleetOptions & { controlPort: number } {
  const { values } = parseArgs({
    options: {
      units: { type: 'string', default: '4' },
      port: { type: 'string', default: '12345' },
      'control-port': { type: 'string', default: '0' },
      host: { type: 'string', default: '127.0.0.1' },
      scale: { type: 'string', default: '20' },
      seed: { type: 'string', default: '1' },
      events: { type: 'string', default: '5-120' },
    },
  })
  const units = whole('units', values.units, 1, 1000)
  const [min, max] = values.events.split('-') as [string, string?]
  const fewest = whole('events', min, 0, 120)
  return {
    units,
    port: whole('port', values.port, 0, 65_536 - units),
    controlPort: whole('control-port', values['control-port'], 0, 65_535),
    host: values.host,
    scale: whole('scale', values.scale, 1, 100_000),
    seed: whole('seed', values.seed, 0, 2 ** 32 - 1),
    events: { min: fewest, max: whole('events', max ?? min, fewest, 120) },
  }
}

function whole(name: string, text: string, min: number, max: number): number {
  const number = Number(text)
  if (/^\d+$/.test(text) && number >= min && number <= max) return number
  throw new Error(`Expected --${name} to be a whole number from ${min} to ${max}, got '${text}'.`)
}

function fail(message: string): void {
  process.stderr.write(message)
  process.exitCode = 1
  if (process.connected) process.disconnect()
}
