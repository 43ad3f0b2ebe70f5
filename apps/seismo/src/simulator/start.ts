// Starts a simulator as a process of its own and tells it what to do: for tests, shows and demonstrations.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Control, SimulatorError } from './control.ts'
import type { LineCounters } from './counters.ts'
import type { Fault } from './fault.ts'
import type { RecordType } from './recording.ts'
import type { EventHeader } from '../unit/client.ts'

export { MALFORMATIONS, type Fault, type Malformation } from './fault.ts'
export { SimulatorError } from './control.ts'
export type { LineCounters } from './counters.ts'

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url))
const STDERR_CHARACTERS_MAX = 10_000

/** What is simulated. */
export interface SimulatorOptions {
  /** How many units. Defaults to 4. */
  readonly units?: number | undefined
  /** The first unit's port, the others follow. Defaults to 0: any that are free. */
  readonly port?: number | undefined
  /** How many times faster than real units. Defaults to 20. */
  readonly scale?: number | undefined
  /** The same seed makes the same fleet. Defaults to 1. */
  readonly seed?: number | undefined
  /** How many events a unit starts with: a number, or somewhere between two. At most, and by default, 5 to 120. */
  readonly events?: number | readonly [min: number, max: number] | undefined
}

/** Where a simulated unit is. The serial is the one it started with. */
export interface SimulatedUnit {
  readonly host: string
  readonly port: number
  readonly serial: string
}

/** At least one. */
export type SimulatedUnits = readonly [SimulatedUnit, ...SimulatedUnit[]]

/** A running simulator. Units are named by their place in `units`. Commands fail with a `SimulatorError`. */
export interface Simulator extends AsyncDisposable {
  readonly units: SimulatedUnits
  readonly scale: number
  /** Empties a unit, as a person at its panel would; its keys start over. */
  erase(unit: number): Promise<void>
  /** Records until `events` are stored. */
  refill(unit: number, events: number): Promise<void>
  /** Records one event; without a type, 19 of 20 are histograms. Resolves to its header. */
  record(unit: number, recordType?: RecordType): Promise<EventHeader>
  /** From its next conversation on, replacing an earlier fault. */
  misbehave(unit: number, fault: Fault): Promise<void>
  /** Ends a fault. */
  behave(unit: number): Promise<void>
  /** Puts another unit in the place of one: another serial and other events, as many as before. Resolves to the serial. */
  swap(unit: number, to?: { readonly serial?: string; readonly events?: number }): Promise<string>
  /** Hangs up and takes no more calls: connecting is refused. */
  refuse(unit: number): Promise<void>
  /** Takes calls again, on the same port. */
  listen(unit: number): Promise<void>
  /** What the line of a unit saw, or those of all together. */
  counters(unit?: number): Promise<LineCounters>
  /** Ends the process in good order. */
  stop(): Promise<void>
  /** Ends the process at once: every line is dead. */
  kill(): Promise<void>
}

interface Ready {
  readonly units: SimulatedUnits
  readonly control: { readonly host: string; readonly port: number }
  readonly scale: number
}

/**
 * Starts a simulator; it ends with the process that started it.
 *
 * @example
 * await using simulator = await startSimulator({ units: 2, scale: 1000, events: 12 })
 * const unit = new TcpSeismographClient(simulator.units[0])
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const child = spawn(process.execPath, [MAIN, ...argumentsOf(options)], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  try {
    const { units, control, scale } = await ready(child)
    return simulator(child, units, scale, await Control.open(control.host, control.port))
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
}

function argumentsOf({ units = 4, port = 0, scale = 20, seed = 1, events = [5, 120] }: SimulatorOptions): string[] {
  const range = typeof events === 'number' ? String(events) : events.join('-')
  const values = { units, port, scale, seed, events: range }
  return Object.entries(values).flatMap(([name, value]) => [`--${name}`, String(value)])
}

async function ready(child: ChildProcess): Promise<Ready> {
  let complaints = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(-STDERR_CHARACTERS_MAX)
  })
  const exited = once(child, 'close').then(() => {
    throw new SimulatorError(`The simulator did not start: ${complaints.trim()}`)
  })
  const line = once(createInterface({ input: child.stdout as NodeJS.ReadableStream }), 'line')
  const [text] = (await Promise.race([line, exited])) as [string]
  // From here on it may end as it likes.
  exited.catch(() => undefined)
  child.stderr?.removeAllListeners('data').pipe(process.stderr)
  return JSON.parse(text) as Ready
}

function simulator(child: ChildProcess, units: SimulatedUnits, scale: number, control: Control): Simulator {
  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    control.close()
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }
  const obeyed = async (done: Promise<unknown>): Promise<void> => void (await done)
  return {
    units,
    scale,
    erase: (unit) => obeyed(control.send({ do: 'erase', unit })),
    refill: (unit, events) => obeyed(control.send({ do: 'refill', unit, events })),
    record: (unit, recordType) => control.send({ do: 'record', unit, recordType }) as Promise<EventHeader>,
    misbehave: (unit, fault) => obeyed(control.send({ do: 'misbehave', unit, fault })),
    behave: (unit) => obeyed(control.send({ do: 'behave', unit })),
    swap: (unit, to = {}) => control.send({ do: 'swap', unit, ...to }) as Promise<string>,
    refuse: (unit) => obeyed(control.send({ do: 'refuse', unit })),
    listen: (unit) => obeyed(control.send({ do: 'listen', unit })),
    counters: (unit) => control.send({ do: 'counters', unit }) as Promise<LineCounters>,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    [Symbol.asyncDispose]: () => end('SIGTERM'),
  }
}
