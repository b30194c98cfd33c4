// @ts-check
import { vocabulary } from "../api/vocabulary.js";
import { boxInPercent } from "../geometry.js";
import { counted } from "../words.js";

/** @typedef {import("../api/types.js").JobView} Job */

/**
 * What came of a job, in a few words.
 * @param {Job} job
 */
export function outcomeOf(job) {
  if (job.status === "queued") return "Waiting";
  if (job.status === "running") return "Under way";
  if (job.status === "cancelled") return "Cancelled";
  if (job.status === "failed") return vocabulary.problem(job.error ?? { code: "internal_error", detail: "" }).title;
  const result = /** @type {any} */ (job.result);
  if (job.kind === "detection") return result.faces.length === 0 ? "No faces" : counted(result.faces.length, "face");
  if (job.kind !== "verification") return "Done";
  return `${result.matches.length} of ${counted(result.matches.length + result.unmatched.length, "face")} matching`;
}

/** @typedef {{url: string, focus: {x: number, y: number}}} Thumbnail */

/**
 * The photos of a job, made small by the gateway, and where on each the face is, in percent.
 * @param {Job} job
 * @returns {Thumbnail[]}
 */
export function thumbnailsOf(job) {
  const result = /** @type {any} */ (job.result);
  const at = (/** @type {string} */ name) => `/v1/jobs/${job.id}/images/${name}`;
  const original = thumbnail(at("thumbnail"), result?.image, (result?.faces ?? result?.matches)?.[0]);
  return job.kind === "verification"
    ? [thumbnail(at("anchor-thumbnail"), result?.anchor, result?.anchor_face), original]
    : [original];
}

/**
 * @param {string} url
 * @param {import("../api/types.js").Photo | undefined} photo missing when there is no result
 * @param {any} found a face, or a match that holds one
 * @returns {Thumbnail}
 */
function thumbnail(url, photo, found) {
  const box = (found?.face ?? found)?.box;
  const { x, y, width, height } = photo && box ? boxInPercent(box, photo) : { x: 50, y: 30, width: 0, height: 0 };
  return { url, focus: { x: Math.round(x + width / 2), y: Math.round(y + height / 2) } };
}
