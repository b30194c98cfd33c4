// @ts-check

/** @type {Record<string, number>} */
const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

/**
 * Makes many buttons one stop of the Tab key, with the arrow keys, Home and End moving between them.
 * @param {HTMLElement} container
 * @param {string} selector of the buttons inside it
 */
export function rove(container, selector) {
  container.addEventListener("keydown", (event) => {
    const items = /** @type {HTMLElement[]} */ ([...container.querySelectorAll(selector)]);
    const at = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    if (at < 0) return;
    const next = nextIndex(event.key, at, items.length);
    if (next === null) return;
    event.preventDefault();
    makeStop(items, next);
    items[next]?.focus();
  });
}

/**
 * @param {readonly HTMLElement[]} items
 * @param {number} stop which of them the Tab key reaches
 */
export function makeStop(items, stop) {
  items.forEach((item, index) => {
    item.tabIndex = index === stop ? 0 : -1;
  });
}

/**
 * @param {string} key
 * @param {number} at
 * @param {number} count
 * @returns {number | null}
 */
export function nextIndex(key, at, count) {
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  const step = STEPS[key];
  return step === undefined ? null : (at + step + count) % count;
}
