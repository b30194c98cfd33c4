// @ts-check

const region = /** @type {HTMLElement} */ (document.getElementById("announcements"));

/**
 * Has a screen reader say something when it is next silent.
 * @param {string} sentence
 */
export function announce(sentence) {
  // The same sentence again would be no change, and so not be said.
  region.textContent = region.textContent === sentence ? `${sentence}\u00a0` : sentence;
}
