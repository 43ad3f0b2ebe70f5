/** A long answer on its way from a unit. */
export interface Download {
  readonly unit: string
  readonly what: 'events' | 'waveform'
  /** Of a waveform. */
  readonly index?: number | undefined
  readonly done: number
  /** 0 until the unit has said how many pieces there are. */
  readonly total: number
  /** Milliseconds since 1970. */
  readonly startedAt: number
}

/** The long answers under way now. */
export class Downloads {
  readonly #running = new Set<{ -readonly [F in keyof Download]: Download[F] }>()

  list(unit?: string): Download[] {
    return [...this.#running].filter((it) => unit === undefined || it.unit === unit).map((it) => ({ ...it }))
  }

  /** Follows a download until it ends, however it ends. */
  async follow<T>(
    what: Pick<Download, 'unit' | 'what' | 'index'>,
    run: (onProgress: (done: number, total: number) => void) => Promise<T>,
  ): Promise<T> {
    const download = { ...what, done: 0, total: 0, startedAt: Date.now() }
    this.#running.add(download)
    try {
      return await run((done, total) => Object.assign(download, { done, total }))
    } finally {
      this.#running.delete(download)
    }
  }
}
