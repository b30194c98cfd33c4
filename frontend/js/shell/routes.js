// @ts-check

/** @typedef {{view: "detect" | "verify" | "history" | "models" | "job", id: string | null}} Route */

const VIEWS = /** @type {const} */ (["detect", "verify", "history", "models"]);
const JOB = /^jobs\/([0-9a-f-]{36})$/i;

/**
 * The view an address names: `#/verify`, `#/jobs/<id>`; anything else is Detect.
 * @param {string} hash
 * @returns {Route}
 */
export function routeOf(hash) {
  const path = hash.replace(/^#\/?/, "");
  const id = JOB.exec(path)?.[1];
  if (id) return { view: "job", id };
  return { view: VIEWS.find((view) => view === path) ?? "detect", id: null };
}

/** @param {string} id */
export function jobAddress(id) {
  return `#/jobs/${id}`;
}
