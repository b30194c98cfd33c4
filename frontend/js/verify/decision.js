// @ts-check
/** What a threshold makes of similarities, decided in the browser so that moving it needs no new upload. Pure functions. */

/** @typedef {import("../api/types.js").Match} Match */
/** @typedef {import("../api/types.js").Threshold} Threshold */
/** @typedef {import("../api/types.js").VerificationResult} VerificationResult */
/** @typedef {"match" | "other" | "poor"} Verdict */

/**
 * Every face of the second photo, likeliest first.
 * @param {VerificationResult} result
 * @returns {Match[]}
 */
export function everyFace(result) {
  return [...result.matches, ...result.unmatched].sort((left, right) => right.similarity - left.similarity);
}

/**
 * The measured thresholds, most lenient first, the one the server used among them.
 * @param {VerificationResult} result
 * @returns {Threshold[]}
 */
export function measuredThresholds({ threshold, thresholds = [] }) {
  const others = thresholds.filter(({ value }) => value !== threshold.value);
  return [...others, threshold].sort((left, right) => left.value - right.value);
}

/**
 * The measured threshold nearest to a similarity: rates are shown where they were measured, never in between.
 * @param {readonly Threshold[]} measured at least one
 * @param {number} value
 * @returns {Threshold}
 */
export function nearestThreshold(measured, value) {
  return measured.reduce((best, each) => (Math.abs(each.value - value) < Math.abs(best.value - value) ? each : best));
}

/**
 * The rule of services/verifier/judge.py; a face turned away can match, but its "no" says nothing.
 * @param {Match} face
 * @param {Threshold} threshold
 * @param {import("../api/types.js").Quality | null} [anchor]
 * @returns {Verdict}
 */
export function verdict({ similarity, match, low_quality: lowQuality, quality }, threshold, anchor = null) {
  if (lowQuality || quality?.low || anchor?.low) return "poor";
  if (match === null && !quality) return "poor"; // a result of an older server, which does not say why
  if (similarity >= threshold.value) return "match";
  return [quality, anchor].some((each) => each?.reasons?.includes("turned_away")) ? "poor" : "other";
}

/**
 * The chance that at least one of so many strangers is accepted, each with the probability `far`.
 * @param {number} far
 * @param {number} faces
 */
export function anyFalseMatch(far, faces) {
  return 1 - (1 - far) ** faces;
}

/**
 * The stretch of similarity to draw: all measured thresholds and all faces, with a little room at both ends.
 * @param {readonly Threshold[]} measured
 * @param {readonly Match[]} faces
 * @returns {{from: number, to: number}}
 */
export function similarityRange(measured, faces) {
  const values = [...measured.map(({ value }) => value), ...faces.map(({ similarity }) => similarity)];
  const from = Math.min(...values);
  const to = Math.max(...values);
  const room = Math.max((to - from) * 0.04, 0.01);
  return { from: from - room, to: to + room };
}

/**
 * Where a similarity is on that stretch, 0 to 1.
 * @param {number} value
 * @param {{from: number, to: number}} range
 */
export function placeInRange(value, { from, to }) {
  return Math.min(Math.max((value - from) / (to - from), 0), 1);
}
