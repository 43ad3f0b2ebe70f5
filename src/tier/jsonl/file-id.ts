// Files are numbered: a segment n has the id 2n, the base that settles everything up to it 2n + 1. So what is older than a
// file has a smaller id.

/** Places in one segment stay below this, so that segment and place make one number: the change sequence. */
const SEGMENT_STEP = 0x2000_0000
/** A segment is ended when it has so many bytes; compaction ends most of them much earlier. */
export const SEGMENT_BYTES_MAX: number = SEGMENT_STEP / 2
/** The last segment there can be: its end is still a safe number. */
export const SEGMENTS_MAX: number = 2 ** 53 / SEGMENT_STEP - 2

/** The id of a segment. */
export function segmentId(number: number): number {
  return number * 2
}

/** The id of the base that holds what is left of the segments up to this one. */
export function baseId(number: number): number {
  return number * 2 + 1
}

/** The number in an id. */
export function numberOfId(id: number): number {
  return id >>> 1
}

/** True for the id of a base. */
export function isBase(id: number): boolean {
  return (id & 1) === 1
}

/** The change sequence at the beginning of a segment. */
export function startOf(id: number): number {
  return numberOfId(id) * SEGMENT_STEP
}
