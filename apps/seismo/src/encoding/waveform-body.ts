import type { WaveformRecord } from '../cache/record.ts'
import { CHANNELS, type ChannelName } from '../unit/client.ts'

/** Names and units as the field writes them. */
const LABELS: Record<ChannelName, { readonly name: string; readonly unit: string }> = {
  tran: { name: 'Tran', unit: 'in/s' },
  vert: { name: 'Vert', unit: 'in/s' },
  long: { name: 'Long', unit: 'in/s' },
  micL: { name: 'MicL', unit: 'psi' },
}

/** To six digits after the point: a count of a geophone is about 0.0003 in/s. */
const PRECISION = 1e6

/**
 * A recording as JSON text: samples in physical units, a time axis in seconds from the trigger, peaks. A record of the
 * older program is answered as it was stored. Takes milliseconds for tens of thousands of samples.
 */
export function waveformBody(waveform: WaveformRecord): string {
  if (!isRaw(waveform)) return JSON.stringify(waveform)
  const { counts, scale, sample_rate: rate, pretrigger_seconds: pretrigger, ...head } = waveform
  const channels: Record<string, unknown> = {}
  let length = 0
  for (const channel of CHANNELS) {
    const raw = counts[channel]
    const samples = Array.from(raw, (count) => round(count * scale[channel]))
    length = Math.max(length, raw.length)
    const { name, unit } = LABELS[channel]
    channels[name] = { unit, peak: peakOf(samples, rate, pretrigger), samples }
  }
  const time = Array.from({ length }, (_, i) => round(i / rate - pretrigger))
  return JSON.stringify({
    ...head,
    sample_rate: rate,
    pretrigger_seconds: pretrigger,
    time: { unit: 's', start: -pretrigger, step: 1 / rate, values: time },
    channels,
  })
}

/** The largest deflection in either direction, and when it was. */
function peakOf(samples: readonly number[], rate: number, pretrigger: number): { value: number; at: number } {
  let best = 0
  for (let i = 1; i < samples.length; i++) {
    if (Math.abs(samples[i] as number) > Math.abs(samples[best] as number)) best = i
  }
  return { value: Math.abs(samples[best] ?? 0), at: round(best / rate - pretrigger) }
}

function round(value: number): number {
  return Math.round(value * PRECISION) / PRECISION
}

interface RawWaveform extends WaveformRecord {
  readonly counts: Readonly<Record<ChannelName, Int16Array>>
  readonly scale: Readonly<Record<ChannelName, number>>
  readonly sample_rate: number
  readonly pretrigger_seconds: number
}

function isRaw(waveform: WaveformRecord): waveform is RawWaveform {
  return typeof waveform['counts'] === 'object' && waveform['counts'] !== null && 'scale' in waveform
}
