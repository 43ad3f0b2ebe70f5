// How rivals are compared: in turns, so that whatever else the machine does meets all of them.

import type { Row } from './report.ts'

/** One of several that do the same work. */
export interface Contender {
  readonly label: string
  readonly note?: string
  /** Does the work once and returns what one operation of it cost, in nanoseconds. */
  run(): number | Promise<number>
}

/** The figures of one contender, a figure a round. */
export interface Measured {
  readonly label: string
  readonly note: string | undefined
  readonly rounds: readonly number[]
}

/** Runs every contender once a round, after warm-up rounds that do not count. Each round begins with another one. */
export async function inTurns(
  contenders: readonly Contender[],
  options: { readonly rounds: number; readonly warmUp: number },
): Promise<Measured[]> {
  const measured = contenders.map(({ label, note }) => ({ label, note, rounds: [] as number[] }))
  for (let round = -options.warmUp; round < options.rounds; round++) {
    for (let n = 0; n < contenders.length; n++) {
      const i = (n + round + options.warmUp) % contenders.length
      const figure = await (contenders[i] as Contender).run()
      if (round >= 0) measured[i]?.rounds.push(figure)
    }
  }
  return measured
}

/** Rows with medians; ratios are the median of the ratios of each round, which noise that lasts longer leaves alone. */
export function rowsAgainst(measured: readonly Measured[], floor: string, unitNs: number): Row[] {
  return measured.map((it) => ({
    label: it.label,
    value: median(it.rounds) / unitNs,
    ratio: ratioOf(measured, it.label, floor),
    ...(it.note === undefined ? undefined : { note: it.note }),
  }))
}

/** How many times as much one contender cost as another. */
export function ratioOf(measured: readonly Measured[], label: string, floor: string): number {
  const own = roundsOf(measured, label)
  const other = roundsOf(measured, floor)
  return median(own.map((figure, round) => figure / (other[round] as number)))
}

/** The middle of some figures. */
export function median(figures: readonly number[]): number {
  return percentile(figures, 50)
}

/** The figure that `percent` of all figures do not exceed. */
export function percentile(figures: readonly number[], percent: number): number {
  const sorted = figures.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN
}

function roundsOf(measured: readonly Measured[], label: string): readonly number[] {
  const found = measured.find((it) => it.label === label)
  if (!found) throw new Error(`Nothing called ${label} was measured.`)
  return found.rounds
}
