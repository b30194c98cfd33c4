// @ts-check
import { ageWords, labelWords, wholePercent } from "../words.js";

/** @typedef {import("../api/types.js").Face} Face */

/** @param {Face} face */
export function faceName(face) {
  return `Face ${face.index + 1}`;
}

/**
 * The estimates of a face in a few words: "31 ± 6 years, happy".
 * @param {Face} face
 */
export function estimateWords(face) {
  const { age, gender, ethnicity, emotion } = face.attributes ?? {};
  const words = [];
  if (age) words.push(ageWords(age));
  for (const scores of [gender, ethnicity, emotion]) if (scores) words.push(labelWords(scores.label).toLowerCase());
  return words.join(", ");
}

/**
 * The one estimate that fits under a small crop.
 * @param {Face} face
 */
export function shortEstimate(face) {
  const { age, gender, ethnicity, emotion } = face.attributes ?? {};
  if (age) return `≈ ${Math.round(age.value)}`;
  const scores = emotion ?? gender ?? ethnicity;
  return scores ? labelWords(scores.label) : "";
}

/**
 * What a screen reader says for a face.
 * @param {Face} face
 */
export function faceSentence(face) {
  const estimates = estimateWords(face);
  return `${faceName(face)}, confidence ${wholePercent(face.confidence)}${estimates ? `, estimated ${estimates}` : ""}`;
}
