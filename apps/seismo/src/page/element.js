// @ts-check
// Building and changing the document. What units say goes in as text, never as markup.

/**
 * Makes an element with attributes (`true` is an empty one, `undefined` and `false` none) and children; strings become
 * text nodes.
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Readonly<Record<string, string | number | boolean | undefined>>} [attributes]
 * @param {readonly (Node | string)[]} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) setAttribute(made, name, value)
  made.append(...children)
  return made
}

/**
 * The element of the page with this id.
 *
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
export function byId(id, type) {
  const found = document.getElementById(id)
  if (found instanceof type) return found
  throw new TypeError(`The page has no ${type.name} with the id '${id}'.`)
}

/**
 * Touches the document only where the text changes: a selection or a screen reader in it is left in peace.
 *
 * @param {Node} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text
}

/**
 * @param {Element} node
 * @param {string} name
 * @param {string | number | boolean | undefined} value
 */
export function setAttribute(node, name, value) {
  if (value === undefined || value === false) return node.removeAttribute(name)
  const text = value === true ? '' : String(value)
  if (node.getAttribute(name) !== text) node.setAttribute(name, text)
}

/**
 * A list of what is known, for a `dl`.
 *
 * @param {HTMLElement} list
 * @param {readonly (readonly [name: string, value: string])[]} facts
 */
export function setFacts(list, facts) {
  const text = JSON.stringify(facts)
  if (list.dataset['facts'] === text) return
  list.dataset['facts'] = text
  list.replaceChildren(
    ...facts.map(([name, value]) => element('div', {}, element('dt', {}, name), element('dd', {}, value))),
  )
}
