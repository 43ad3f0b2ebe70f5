import type { ChannelName, Peaks, Waveform } from './client.ts'

/** The largest absolute value of each channel in physical units: what the unit itself writes into the event's header. */
export function peaksOf({ samples, scale }: Pick<Waveform, 'samples' | 'scale'>): Peaks {
  const peak = (channel: ChannelName): number => largest(samples[channel]) * scale[channel]
  return { tran: peak('tran'), vert: peak('vert'), long: peak('long'), micL: peak('micL') }
}

function largest(counts: Int16Array): number {
  let max = 0
  for (const count of counts) max = Math.max(max, Math.abs(count))
  return max
}
