// @ts-check

import { FIRST, JOB, VIEWS } from "./views.js";

/** @typedef {{view: string, id: string | null}} Route */

const JOB_ADDRESS = /^jobs\/([0-9a-f-]{36})$/i;

/**
 * The view an address names: `#/verify`, `#/jobs/<id>`; anything else is Detect.
 * @param {string} hash
 * @returns {Route}
 */
export function routeOf(hash) {
  const path = hash.replace(/^#\/?/, "");
  const id = JOB_ADDRESS.exec(path)?.[1];
  if (id) return { view: JOB, id };
  return { view: Object.hasOwn(VIEWS, path) && path !== JOB ? path : FIRST, id: null };
}

/** @param {string} id */
export function jobAddress(id) {
  return `#/jobs/${id}`;
}
