// @ts-check

/**
 * Adds the style sheet of an element that is loaded only when it is wanted; index.html links those of the first view.
 * @param {URL} address
 * @returns {Promise<void>} once it is in force, or cannot be had
 */
export function addStyles(address) {
  return new Promise((resolve) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = address.href;
    link.onload = () => resolve();
    link.onerror = () => resolve();
    document.head.append(link);
  });
}
