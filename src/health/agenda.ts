/** Who is due when: a binary heap by time, one date for each id. */
export class Agenda {
  readonly #ids: string[] = []
  readonly #times = new Map<string, number>()
  /** Where an id stands in the heap. */
  readonly #places = new Map<string, number>()

  get size(): number {
    return this.#ids.length
  }

  /** When the first is due; `Infinity` when nobody is. */
  get nextAt(): number {
    const first = this.#ids[0]
    return first === undefined ? Number.POSITIVE_INFINITY : (this.#times.get(first) as number)
  }

  /** Puts a date down, in place of an earlier one. */
  set(id: string, at: number): void {
    const place = this.#places.get(id)
    this.#times.set(id, at)
    if (place === undefined) {
      this.#put(this.#ids.length, id)
      this.#up(this.#ids.length - 1)
    } else {
      this.#up(place)
      this.#down(this.#places.get(id) as number)
    }
  }

  delete(id: string): void {
    const place = this.#places.get(id)
    if (place === undefined) return
    const last = this.#ids.pop() as string
    this.#places.delete(id)
    this.#times.delete(id)
    if (last === id) return
    this.#put(place, last)
    this.#up(place)
    this.#down(this.#places.get(last) as number)
  }

  /** Takes out the first that is due. */
  takeDue(now: number): string | undefined {
    if (this.nextAt > now) return undefined
    const id = this.#ids[0] as string
    this.delete(id)
    return id
  }

  #up(from: number): void {
    let place = from
    while (place > 0) {
      const parent = (place - 1) >> 1
      if (this.#at(parent) <= this.#at(place)) return
      this.#swap(parent, place)
      place = parent
    }
  }

  #down(from: number): void {
    let place = from
    for (;;) {
      const left = place * 2 + 1
      let least = place
      if (left < this.#ids.length && this.#at(left) < this.#at(least)) least = left
      if (left + 1 < this.#ids.length && this.#at(left + 1) < this.#at(least)) least = left + 1
      if (least === place) return
      this.#swap(least, place)
      place = least
    }
  }

  #at(place: number): number {
    return this.#times.get(this.#ids[place] as string) as number
  }

  #swap(a: number, b: number): void {
    const [idA, idB] = [this.#ids[a] as string, this.#ids[b] as string]
    this.#put(a, idB)
    this.#put(b, idA)
  }

  #put(place: number, id: string): void {
    this.#ids[place] = id
    this.#places.set(id, place)
  }
}
