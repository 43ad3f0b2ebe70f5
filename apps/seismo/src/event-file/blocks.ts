// Differences between neighbouring samples, packed. Four kinds of block, told by the first byte, with the count in the second:
//
//   00 NN   NN zeros                     10 NN   4 bits each, high nibble first (1X NN: XNN of them)
//   20 NN   8 bits each (2X NN: XNN)     30 NN   12 bits each, in groups of four: two bytes of high nibbles, four low bytes

/** How one kind of block packs differences. */
interface Kind {
  readonly tag: number
  readonly min: number
  readonly max: number
  /** Differences in the smallest piece, and its bytes. */
  readonly group: number
  readonly groupBytes: number
  readonly countMax: number
}

const KINDS: readonly [Kind, Kind, Kind, Kind] = [
  { tag: 0x00, min: 0, max: 0, group: 1, groupBytes: 0, countMax: 255 },
  { tag: 0x10, min: -8, max: 7, group: 2, groupBytes: 1, countMax: 0xffe },
  { tag: 0x20, min: -128, max: 127, group: 1, groupBytes: 1, countMax: 0xfff },
  { tag: 0x30, min: -2048, max: 2047, group: 4, groupBytes: 6, countMax: 252 },
]
const HEAD_BYTES = 2
const UNREACHED = 0x3fff_ffff

/** A run of differences in one kind of block. */
interface Run {
  readonly kind: Kind
  readonly from: number
  readonly to: number
}

/**
 * Packs differences in the fewest bytes: at least `wanted` of them, or as many as come before one that is too large for any
 * block. What there is beyond may be taken to fill the last group. Returns how many it packed.
 */
export function packDeltas(deltas: Int32Array, wanted: number, into: number[]): number {
  const { runs, packed } = cheapest(deltas, wanted)
  for (const { kind, from, to } of runs) {
    for (let at = from; at < to; at += kind.countMax)
      packBlock(kind, deltas.subarray(at, Math.min(to, at + kind.countMax)), into)
  }
  return packed
}

/**
 * The cheapest way to cut the differences into runs, by the cost of every way to get to each place: 2 bytes for another
 * block, then what its kind takes.
 */
function cheapest(deltas: Int32Array, wanted: number): { readonly runs: Run[]; readonly packed: number } {
  const least = leastKinds(deltas)
  const places = deltas.length + 1
  // By place and kind: the bytes to get there, and the kind that was left for it.
  const cost = new Int32Array(places * KINDS.length).fill(UNREACHED)
  const before = new Int8Array(places * KINDS.length)
  let packed = 0
  for (let at = 0; at < places; at++) {
    const row = at * KINDS.length
    const left = at === 0 ? -1 : cheapestKind(cost, row)
    const leftCost = at === 0 ? 0 : (cost[row + left] as number)
    if (leftCost === UNREACHED) continue
    packed = at
    if (at >= wanted) break
    let k = 0
    for (const { group, groupBytes } of KINDS) {
      const to = at + group
      if (to < places && fits(least, k, at, to)) {
        const opened = leftCost + HEAD_BYTES
        const kept = cost[row + k] as number
        const bytes = (kept < opened ? kept : opened) + groupBytes
        const place = to * KINDS.length + k
        if (bytes < (cost[place] as number)) {
          cost[place] = bytes
          before[place] = kept <= opened ? k : left
        }
      }
      k++
    }
  }
  return { runs: runsTo(packed, cost, before), packed }
}

function runsTo(packed: number, cost: Int32Array, before: Int8Array): Run[] {
  const runs: Run[] = []
  let [at, k] = [packed, packed === 0 ? 0 : cheapestKind(cost, packed * KINDS.length)]
  while (at > 0) {
    const kind = KINDS[k] as Kind
    const to = at
    let next = k
    while (at > 0 && next === k) {
      next = before[at * KINDS.length + k] as number
      at -= kind.group
    }
    runs.unshift({ kind, from: at, to })
    k = next
  }
  return runs
}

function cheapestKind(cost: Int32Array, row: number): number {
  let best = 0
  for (let k = 1; k < KINDS.length; k++) if ((cost[row + k] as number) < (cost[row + best] as number)) best = k
  return best
}

/** Of each difference the first kind that holds it; those after hold it too. */
function leastKinds(deltas: Int32Array): Uint8Array {
  const least = new Uint8Array(deltas.length)
  for (let i = 0; i < deltas.length; i++) {
    const delta = deltas[i] as number
    let k = 0
    for (const { min, max } of KINDS) {
      if (delta >= min && delta <= max) break
      k++
    }
    least[i] = k
  }
  return least
}

function fits(least: Uint8Array, k: number, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if ((least[i] as number) > k) return false
  return true
}

function packBlock(kind: Kind, deltas: Int32Array, into: number[]): void {
  into.push(kind.tag | (deltas.length >> 8), deltas.length & 0xff)
  const at = (i: number): number => deltas[i] as number
  if (kind.tag === 0x10) {
    for (let i = 0; i < deltas.length; i += 2) into.push(((at(i) & 0xf) << 4) | (at(i + 1) & 0xf))
  } else if (kind.tag === 0x20) {
    for (let i = 0; i < deltas.length; i++) into.push(at(i) & 0xff)
  } else if (kind.tag === 0x30) {
    for (let i = 0; i < deltas.length; i += 4) {
      const high = (j: number): number => (at(i + j) >> 8) & 0xf
      into.push((high(0) << 4) | high(1), (high(2) << 4) | high(3))
      for (let j = 0; j < 4; j++) into.push(at(i + j) & 0xff)
    }
  }
}

/** A block as it was read. */
export interface Block {
  readonly deltas: Int32Array
  /** Bytes it takes with its head. */
  readonly bytes: number
}

/** The block at a place; `undefined` when none begins there, or it is not whole. */
export function readBlock(bytes: Uint8Array, at: number): Block | undefined {
  const [head, low] = [bytes[at], bytes[at + 1]]
  if (head === undefined || low === undefined) return undefined
  const [tag, high] = [head & 0xf0, head & 0x0f]
  const isLong = tag === 0x10 || tag === 0x20
  if (high !== 0 && !isLong) return undefined
  const count = (high << 8) | low
  const body = bytes.subarray(at + HEAD_BYTES)
  if (tag === 0x00) return unpack(body, count, 0, () => 0)
  if (tag === 0x10) return unpack(body, count, Math.ceil(count / 2), nibbleAt)
  if (tag === 0x20) return unpack(body, count, count, (from, i) => signed(from[i] as number, 8))
  if (tag === 0x30 && count % 4 === 0) return unpack(body, count, (count / 4) * 6, twelveAt)
  return undefined
}

function unpack(
  body: Uint8Array,
  count: number,
  bytes: number,
  deltaAt: (from: Uint8Array, i: number) => number,
): Block | undefined {
  if (body.byteLength < bytes) return undefined
  const deltas = new Int32Array(count)
  for (let i = 0; i < count; i++) deltas[i] = deltaAt(body, i)
  return { deltas, bytes: HEAD_BYTES + bytes }
}

function nibbleAt(from: Uint8Array, i: number): number {
  const byte = from[i >> 1] as number
  return signed(i % 2 === 0 ? byte >> 4 : byte & 0xf, 4)
}

function twelveAt(from: Uint8Array, i: number): number {
  const group = (i >> 2) * 6
  const place = i & 3
  const pair = from[group + (place >> 1)] as number
  const high = place % 2 === 0 ? pair >> 4 : pair & 0xf
  return signed((high << 8) | (from[group + 2 + place] as number), 12)
}

function signed(value: number, bits: number): number {
  const sign = 1 << (bits - 1)
  return (value ^ sign) - sign
}
