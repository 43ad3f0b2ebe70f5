import * as fc from 'fast-check'

/** Any UTF-16, half surrogates and NUL included. */
export const text: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      fc.constantFrom('$', '\0', '\ud800', 'a', '"', '\\'),
      fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
    ),
    { maxLength: 6 },
  )
  .map((units) => units.join(''))

const number = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.constantFrom(-0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.MAX_SAFE_INTEGER),
)
const plainNumber = number.filter((n) => Number.isFinite(n) && !Object.is(n, -0))
const name = fc.oneof(
  text.filter((it) => it !== 'toJSON'),
  fc.constantFrom('$', '__proto__', 'constructor', 'toString', 'v', 'length'),
)
const bytes = fc.uint8Array({ maxLength: 24 })

/** Binary values of every kind, also as views into the middle of larger buffers. */
export const binary: fc.Arbitrary<ArrayBuffer | ArrayBufferView> = fc
  .tuple(
    bytes,
    fc.constantFrom(
      Int8Array,
      Uint8Array,
      Uint8ClampedArray,
      Int16Array,
      Uint16Array,
      Int32Array,
      Uint32Array,
      Float32Array,
      Float64Array,
      BigInt64Array,
      BigUint64Array,
      DataView,
      Buffer,
      ArrayBuffer,
    ),
  )
  .map(([content, Kind]) => {
    const around = new Uint8Array(content.length + 16)
    around.set(content, 8)
    if (Kind === ArrayBuffer) return content.buffer.slice(content.byteOffset, content.byteOffset + content.byteLength)
    if (Kind === Buffer) return Buffer.from(around.buffer, 8, content.length)
    if (Kind === DataView) return new DataView(around.buffer, 8, content.length)
    const View = Kind as Int16ArrayConstructor
    return new View(around.buffer, 8, Math.floor(content.length / View.BYTES_PER_ELEMENT))
  })

const objectOf = (value: fc.Arbitrary<unknown>): fc.Arbitrary<object> =>
  fc.array(fc.tuple(name, value), { maxLength: 4 }).map((entries) => Object.fromEntries(entries) as object)

/** What JSON says by itself. */
export const plain: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    text,
    plainNumber,
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    objectOf(tie('value')).filter((it) => !Object.hasOwn(it, '$')),
  ),
})).value

const storableOf = (more: readonly fc.Arbitrary<unknown>[]): fc.Arbitrary<unknown> =>
  fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      ...[
        text,
        number,
        fc.boolean(),
        fc.constantFrom(null, undefined),
        fc.bigInt(),
        fc.date({ noInvalidDate: false }),
        ...more,
      ],
      fc.array(tie('value'), { maxLength: 4 }),
      objectOf(tie('value')),
      fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 3 }).map((pairs) => new Map(pairs)),
      fc.array(tie('value'), { maxLength: 3 }).map((items) => new Set(items)),
    ),
  })).value

/** Everything that can be stored but binary data. */
export const tagged: fc.Arbitrary<unknown> = storableOf([])

/** Everything that can be stored. */
export const storable: fc.Arbitrary<unknown> = storableOf([binary])
