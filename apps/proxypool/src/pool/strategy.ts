import type { Candidate } from './candidates.ts'

/** How the next proxy is chosen among the healthy ones. */
export type Strategy = 'round-robin' | 'least-latency' | 'random'

export const STRATEGIES: readonly Strategy[] = ['round-robin', 'least-latency', 'random']

/** Chooses proxies. Remembers whose turn it is. */
export class Chooser {
  #turn = 0

  choose(candidates: readonly Candidate[], strategy: Strategy): Candidate | undefined {
    if (candidates.length === 0) return undefined
    if (strategy === 'random') return candidates[Math.floor(Math.random() * candidates.length)]
    if (strategy === 'round-robin') return candidates[this.#turn++ % candidates.length]
    return candidates.reduce((best, it) => (it.responseMs < best.responseMs ? it : best))
  }
}
