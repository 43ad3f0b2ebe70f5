// @ts-check
// What is looked at, in the address of the page: `#BE11529/M529LKIQ.7M0W`.

/**
 * @param {string} serial
 * @param {string} filename
 */
export function hashOf(serial, filename) {
  return `#${encodeURIComponent(serial)}/${encodeURIComponent(filename)}`
}

/**
 * @param {string} hash
 * @returns {{ serial: string, filename: string } | undefined}
 */
export function readHash(hash) {
  const [, serial, filename] = /^#([^/]+)\/([^/]+)$/.exec(hash) ?? []
  if (serial === undefined || filename === undefined) return undefined
  try {
    return { serial: decodeURIComponent(serial), filename: decodeURIComponent(filename) }
  } catch {
    return undefined
  }
}
