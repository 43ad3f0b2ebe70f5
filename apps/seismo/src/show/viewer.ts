// One dashboard: asks for every unit's status each 15 s and its events each 60 s, and opens a waveform now and then.

import type { Day } from './day.ts'

const STATUS_EVERY_S = 15
const EVENTS_EVERY_S = 60
/** On average; which one is left to chance. */
const WAVEFORM_EVERY_S = 120

/** Polls until the day is over. Resolves when the last answer has come. */
export async function watch(day: Day, unit: number): Promise<void> {
  await Promise.all([
    every(day, STATUS_EVERY_S, false, () => day.ask(unit, 'status')),
    every(day, EVENTS_EVERY_S, false, () => day.ask(unit, 'events')),
    every(day, WAVEFORM_EVERY_S, true, () => day.ask(unit, 'waveform')),
  ])
}

async function every(day: Day, seconds: number, isRandom: boolean, ask: () => Promise<void>): Promise<void> {
  const pause = (): number => (isRandom ? -Math.log(1 - day.random()) * seconds : seconds)
  // Dashboards were not all opened in the same second.
  let at = day.random() * pause()
  while (at < day.seconds) {
    await day.until(at)
    await ask()
    // A dashboard that waited for a slow answer skips what it missed.
    at = Math.max(at + pause(), isRandom ? 0 : day.elapsedSeconds)
  }
}
