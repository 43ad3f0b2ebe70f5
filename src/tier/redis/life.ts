import { baseOfName, escapeName } from './layout.ts'

/**
 * What this process knows of one name in Redis: which life it is in, and how far its changes were taken in. The registry
 * of names has one as well.
 */
export class Life {
  /** `undefined` for the registry. */
  readonly name: string | undefined
  readonly base: string
  readonly metaKey: string
  /** How messages call it; the registry's are never sent. */
  readonly label: string
  /** The life in Redis; `''` before it was looked for and after it was lost. */
  epoch = ''
  /** Changes up to this sequence were taken in. */
  known = 0
  /** The highest sequence Redis ever answered: more than `known` while others' changes are on their way here. */
  newest = 0
  /** Resolves when `epoch` can be used. The same promise for everyone, so that writes keep their order. */
  ready: Promise<Life> | undefined
  /** When it was first asked for without success, by `performance.now()`. */
  wantedSinceMs: number | undefined
  /** What has to be added to `performance.now()` to get Redis's clock; never too little. */
  clockOffsetMs = 0
  /** How long its frames are, roughly. */
  frameBytes = 1024

  constructor(base: string, name: string | undefined) {
    this.name = name
    this.base = base
    this.metaKey = `${base}m`
    this.label = name === undefined ? '' : `n${escapeName(name)}`
  }

  static ofName(prefix: string, name: string): Life {
    return new Life(baseOfName(prefix, name), name)
  }

  /** The key of one entry. */
  entryKey(field: string): string {
    return `${this.base}${this.epoch}:${field}`
  }

  /** Another life began, or the same one was found again. */
  begin(epoch: string, sequence: number): void {
    this.epoch = epoch
    this.known = sequence
    this.newest = sequence
  }

  /** Redis answered that its sequence is this by now. */
  answered(sequence: number): void {
    this.newest = Math.max(this.newest, sequence)
  }

  /** Redis's clock was seen at `serverMs`, in an answer to what was sent at `sentAtMs`. */
  sawClock(serverMs: number, sentAtMs: number): void {
    // Redis answered after it was sent, so this is at most the round trip too much: a deadline never comes early.
    this.clockOffsetMs = serverMs - sentAtMs
  }
}
