// @ts-check

/**
 * What was typed into a field of a form; an empty text where there is no such field.
 *
 * @param {FormData} fields
 * @param {string} name
 */
export function typedIn(fields, name) {
  const value = fields.get(name)
  return typeof value === 'string' ? value.trim() : ''
}
