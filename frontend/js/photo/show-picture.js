// @ts-check

/**
 * Loads a stored picture into an <img>. A picture that cannot be had leaves the image broken, and marked so.
 * @param {import("../api/api.js").Api} api
 * @param {HTMLImageElement} image
 * @param {string} url
 */
export function showPicture(api, image, url) {
  const fail = () => image.toggleAttribute("data-broken", true);
  image.addEventListener("error", fail, { once: true });
  api.source(url).then((source) => {
    image.src = source;
  }, fail);
}
