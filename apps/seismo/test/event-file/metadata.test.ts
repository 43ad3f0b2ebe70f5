import { describe, expect, it } from 'vitest'
import { metadataOf, recordingIn } from '../../src/event-file/metadata.ts'
import { problemOf } from '../../src/event-file/review.ts'
import { recordingWith } from './recordings.ts'

const counts = {
  tran: Int16Array.of(0, 16, -32),
  vert: Int16Array.of(0, 0, 3200),
  long: Int16Array.of(0, -1600, 0),
  micL: Int16Array.of(160, 0, -320),
}
const { scale } = recordingWith(counts)
const RECORD = {
  index: 3,
  waveform_key: '01110000',
  timestamp: '2026-05-01T13:16:34',
  record_type: 'waveform',
  sample_rate: 1024,
  pretrigger_seconds: 0.25,
  counts,
  scale,
}

describe('the recording in a record of the cache', () => {
  it('is what was downloaded', () => {
    expect(recordingIn(RECORD)).toEqual(recordingWith(counts))
  })

  it.for([
    ['a histogram', { record_type: 'histogram' }],
    ['one without a key', { waveform_key: null }],
    ['one without a time', { timestamp: null }],
    ['a time of an older program', { timestamp: { iso: '2026-05-01T13:16:34' } }],
    ['one without counts', { counts: null }],
    ['one without a channel', { counts: { ...counts, micL: undefined } }],
    ['counts in a list', { counts: { ...counts, micL: [1, 2, 3] } }],
    ['channels of different lengths', { counts: { ...counts, micL: Int16Array.of(1) } }],
    [
      'no samples',
      { counts: { tran: new Int16Array(), vert: new Int16Array(), long: new Int16Array(), micL: new Int16Array() } },
    ],
    ['one without a scale', { scale: undefined }],
    ['one without a rate', { sample_rate: '1024' }],
  ] as const)('%s holds none', ([, wrong]) => {
    expect(recordingIn({ ...RECORD, ...wrong })).toBeUndefined()
  })
})

it('the sidecar of a recording: peaks in physical units, and how it was recorded', () => {
  const said = metadataOf({ serial: 'BE11529', recording: recordingWith(counts), project: { project: 'North' } })
  expect(said).toEqual({
    serial: 'BE11529',
    waveform_key: '01110000',
    timestamp: '2026-05-01T13:16:34',
    record_type: 'waveform',
    peaks: {
      tran: 32 * scale.tran,
      vert: 3200 * scale.vert,
      long: 1600 * scale.long,
      mic_l: 320 * scale.micL,
      mic_db: 81.94 + 20 * Math.log10(20),
    },
    project: { project: 'North' },
    recording: {
      sample_rate: 1024,
      pretrigger_seconds: 0.25,
      record_seconds: 3 / 1024 - 0.25,
      samples_per_channel: 3,
      scale,
    },
  })
  expect(metadataOf({ serial: 'BE1', recording: recordingWith(counts), project: undefined })['project']).toBeNull()
})

it('a review says which field does not fit', () => {
  expect(problemOf({ reviewed: true, note: null, reviewer: 'M.' })).toBeUndefined()
  expect(problemOf({ reviewed: 1 })).toMatchObject({ field: 'reviewed', got: 1 })
  expect(problemOf({ toString: true })).toMatchObject({ field: 'toString' })
  expect(problemOf({ note: 'a\u0000b' })).toMatchObject({ field: 'note' })
  expect(problemOf({})).toMatchObject({ field: 'body' })
})
