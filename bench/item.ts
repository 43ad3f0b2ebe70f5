// What is cached in every section: a small object, as a status of a device would be.

/** One cached value. */
export interface Item {
  readonly id: string
  readonly battery: number
  readonly online: boolean
  readonly firmware: string
}

/** The value of the n-th key; `version` makes it differ from another one of the same key. */
export function itemOf(n: number, version = 0): Item {
  return { id: `unit-${n}`, battery: (n * 7 + version) % 100, online: n % 3 !== 0, firmware: `4.${n % 17}.${version}` }
}

/** The n-th key. */
export function keyOf(n: number): string {
  return `unit:${n}`
}

/** Numbers below `count` in an order that is the same in every run. */
export function shuffled(count: number): number[] {
  const numbers = Array.from({ length: count }, (_, n) => n)
  let state = 12_345
  for (let i = count - 1; i > 0; i--) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    const j = state % (i + 1)
    ;[numbers[i], numbers[j]] = [numbers[j] as number, numbers[i] as number]
  }
  return numbers
}
