import type { EventRecord, JsonObject, Stamped } from '../cache/record.ts'
import type { Asking, DeviceSource } from '../cache/source.ts'
import type { Conversation, EventHeader, Peaks, Waveform } from '../unit/client.ts'
import { UnitError } from '../unit/client.ts'
import type { Downloads } from './downloads.ts'
import type { Lines } from './lines.ts'

/** Asks units over their lines, and writes their answers in the shape they are cached and served in. */
export function unitSource(lines: Lines, downloads: Downloads): DeviceSource {
  return {
    info: (unit, asking) =>
      lines.of(unit).converse(asking.signal, async (client) => {
        const { compliance, ...info } = await client.info(asking)
        return { ...info, compliance: snakeCased(compliance) }
      }),

    storageRange: (unit, asking) =>
      lines.of(unit).converse(asking.signal, async (client) => {
        const { count, first, last } = await client.storageRange(asking)
        return { count, first: first && stamped(first), last: last && stamped(last) }
      }),

    events: (unit, from, to, asking) =>
      downloads.follow({ unit, what: 'events' }, (onProgress) =>
        lines.of(unit).converse(asking.signal, async (client) => {
          const headers = await client.readEvents(from, to, following(asking, onProgress))
          const wrong = headers.find((header, i) => header.index !== from + i)
          if (wrong) throw new UnitError('unit-protocol', `${unit} answered event ${wrong.index} out of its turn.`)
          return headers.map(eventRecord)
        }),
      ),

    waveform: (unit, index, asking) =>
      downloads.follow({ unit, what: 'waveform', index }, (onProgress) =>
        lines
          .of(unit)
          .converse(asking.signal, async (client) =>
            waveformRecord(await client.readWaveform(index, following(asking, onProgress))),
          ),
      ),

    monitorStatus: (unit, asking) =>
      lines.of(unit).converse(asking.signal, async (client) => snakeCased(await client.monitorStatus(asking))),
  }
}

function following(asking: Asking, onProgress: (done: number, total: number) => void): Conversation {
  return {
    signal: asking.signal,
    onProgress: (done, total) => {
      onProgress(done, total)
      asking.progress?.(done, total)
    },
  }
}

function eventRecord({ index, waveformKey, timestamp, recordType, peaks, project }: EventHeader): EventRecord {
  return {
    index,
    ...stamped({ waveformKey, timestamp }),
    record_type: recordType,
    peaks: peaksRecord(peaks),
    project: project ? { ...project } : null,
  }
}

/** The raw counts stay raw: they are what was recorded, and a quarter of the size. */
function waveformRecord(waveform: Waveform): Stamped {
  const { index, waveformKey, timestamp, recordType, sampleRate, pretriggerSeconds, samples, scale } = waveform
  return {
    index,
    ...stamped({ waveformKey, timestamp }),
    record_type: recordType,
    sample_rate: sampleRate,
    pretrigger_seconds: pretriggerSeconds,
    counts: { ...samples },
    scale: { ...scale },
  }
}

function stamped({ waveformKey, timestamp }: Pick<EventHeader, 'waveformKey' | 'timestamp'>): Stamped {
  return { waveform_key: waveformKey ?? null, timestamp: timestamp ?? null }
}

function peaksRecord({ tran, vert, long, micL }: Peaks): JsonObject {
  return { tran, vert, long, mic_l: micL }
}

function snakeCased(fields: object): JsonObject {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name.replaceAll(/[A-Z]/g, (it) => `_${it.toLowerCase()}`), value]),
  )
}
