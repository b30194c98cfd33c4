// @ts-check

/** @typedef {Node | string | null | undefined | false} Child */

/**
 * Makes an element. Text becomes text nodes, never markup. Properties: `class`, `on: {event: listener}`, and attributes,
 * where true means present and false, null or undefined mean absent.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, any>} [properties]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  decorate(element, properties);
  element.append(...present(children));
  return element;
}

/**
 * Sets attributes and listeners, as `h` does.
 * @param {Element} element
 * @param {Record<string, any>} properties
 */
export function decorate(element, { on = {}, ...attributes }) {
  for (const [event, listener] of Object.entries(on)) element.addEventListener(event, listener);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
}

/**
 * @param {Child[]} children
 * @returns {(Node | string)[]}
 */
export function present(children) {
  return /** @type {(Node | string)[]} */ (children.filter((child) => child || child === ""));
}

/**
 * Sets custom properties. Through the object model, as a strict Content-Security-Policy forbids style attributes.
 * @param {HTMLElement} element
 * @param {Record<string, string | number>} values
 */
export function setVars(element, values) {
  for (const [name, value] of Object.entries(values)) element.style.setProperty(`--${name}`, String(value));
}
