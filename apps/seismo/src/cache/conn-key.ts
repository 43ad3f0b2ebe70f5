// How a unit is reached: the routing key, and the scope of everything that is cached of it.

/** Defaults of the field: TCP port of the modem, baud of the serial line. */
export const DEFAULT_TCP_PORT = 12_345
export const DEFAULT_BAUD = 38_400

/** The end of a line: a TCP address, or a serial port. */
export type Address =
  | { readonly host: string; readonly tcpPort?: number | undefined }
  | { readonly port: string; readonly baud?: number | undefined }

/** `tcp:HOST:PORT` or `serial:PORT:BAUD`. */
export function makeConnKey(address: Address): string {
  return 'host' in address
    ? `tcp:${address.host}:${address.tcpPort ?? DEFAULT_TCP_PORT}`
    : `serial:${address.port}:${address.baud ?? DEFAULT_BAUD}`
}

/** The address a key was made from. Throws a `TypeError` that says what a key looks like. */
export function parseConnKey(connKey: string): Address {
  const match = /^(tcp|serial):(.+):(\d+)$/.exec(connKey)
  const [, kind, where, number] = match ?? []
  if (where === undefined) {
    throw new TypeError(`Expected a connection key like 'tcp:10.0.0.7:12345' or 'serial:COM3:38400', got '${connKey}'.`)
  }
  return kind === 'tcp' ? { host: where, tcpPort: Number(number) } : { port: where, baud: Number(number) }
}
