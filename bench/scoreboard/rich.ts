import { deserialize, serialize } from 'node:v8'

// Several libraries let the application bring its own serializer and store what it returns. This one keeps what
// structured clone keeps.

/** Any value as text. */
export function toText(value: unknown): string {
  return serialize(value).toString('base64')
}

/** The value back. */
export function fromText(text: string): unknown {
  return deserialize(Buffer.from(text, 'base64'))
}
