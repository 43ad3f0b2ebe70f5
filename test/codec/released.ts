/** What lies in `fixtures`, by the form it was encoded in. The files were written by the version that brought the form. */
export const RELEASED_VALUES = {
  json: {
    units: Array.from({ length: 12 }, (_, i) => ({ id: i, name: `tcp:10.0.0.${i}:12345`, status: 'ok', text: 'é 🌊' })),
  },
  tagged: new Map<unknown, unknown>([
    ['at', Array.from({ length: 20 }, (_, i) => new Date(1_700_000_000_000 + i * 60_000))],
    ['big', 2n ** 70n],
    ['none', [Number.NaN, -0, undefined]],
    ['seen', new Set(['a', 'b'])],
  ]),
  binary: { samples: Int16Array.from({ length: 400 }, (_, i) => (i % 20) - 10), raw: Buffer.alloc(200, 'tide') },
} as const
