import type { EventFileIdentity } from '../event-file/name.ts'

/** Published names, and the ends of what a name can say. */
export const NAME_VECTORS: readonly (readonly [name: string, identity: EventFileIdentity])[] = [
  ['M529LIY6.N00', { serial: 'BE11529', time: '2026-04-01T00:28:12', kind: 'manual' }],
  ['M529LKIQ.7M0W', { serial: 'BE11529', time: '2026-05-01T13:16:34', kind: 'waveform' }],
  ['M529LJGP.YH0', { serial: 'BE11529', time: '2026-04-11T00:42:17', kind: 'manual' }],
  ['M529LJGQ.ZI0', { serial: 'BE11529', time: '2026-04-11T01:04:30', kind: 'manual' }],
  ['T0030000.000', { serial: 'BE18003', time: '1985-01-01T00:00:00', kind: 'manual' }],
  ['T0030000.ZZ0W', { serial: 'BE18003', time: '1985-01-01T00:21:35', kind: 'waveform' }],
  ['T0030001.000W', { serial: 'BE18003', time: '1985-01-01T00:21:36', kind: 'waveform' }],
  ['P0367TSG.000', { serial: 'BE14036', time: '2000-01-01T00:00:00', kind: 'manual' }],
  ['H907LKVL.C00W', { serial: 'BE6907', time: '2026-05-08T12:00:00', kind: 'waveform' }],
  ['S353KFSV.ZZ0H', { serial: 'BE17353', time: '2024-02-29T23:59:59', kind: 'histogram' }],
  ['B0000000.000', { serial: 'BE0', time: '1985-01-01T00:00:00', kind: 'manual' }],
  ['Z999ZZZZ.ZZ0H', { serial: 'BE24999', time: '2053-12-24T05:45:35', kind: 'histogram' }],
]
