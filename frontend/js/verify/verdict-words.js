// @ts-check
import { counted } from "../words.js";

/** @typedef {import("../api/types.js").Match} Match */
/** @typedef {import("./decision.js").Verdict} Verdict */

/** @type {Record<Verdict, string>} */
const VERDICTS = { match: "Match", other: "No match", poor: "Too poor to judge" };

/** @type {Record<string, string>} */
const REASONS = {
  too_small: "the face is too small",
  too_dark: "the face is too dark",
  low_contrast: "the face has too little contrast",
  too_blurred: "the face is too blurred",
  cut_off: "the face is cut off",
  turned_away: "the face is turned away",
};

/** @type {Record<string, string>} */
const NOTICES = {
  several_faces_in_anchor: "The anchor photo shows several faces. The largest is the one we look for.",
  no_faces: "No face was found in the second photo.",
  low_quality_anchor: "The anchor face is too poor to compare with. Choose a photo in which it is larger, sharper or brighter.",
};

/** @param {Verdict} verdict */
export function verdictWords(verdict) {
  return VERDICTS[verdict];
}

/** @param {Match} match */
export function poorReason({ quality }) {
  if (!quality?.reasons?.length) return "the anchor face is";
  const reasons = (quality?.reasons ?? []).map((reason) => REASONS[reason] ?? reason);
  return reasons.join(" and ");
}

/** @param {string} notice */
export function noticeWords(notice) {
  return NOTICES[notice] ?? notice.replaceAll("_", " ");
}

/**
 * @param {readonly Verdict[]} verdicts
 */
export function outcomeWords(verdicts) {
  const matching = verdicts.filter((verdict) => verdict === "match").length;
  if (verdicts.length === 0) return "No faces to compare";
  if (verdicts.length === 1)
    return { match: "It is a match", other: "It is not a match", poor: "The face is too poor to judge" }[
      verdicts[0] ?? "poor"
    ];
  if (matching === 0) return `None of ${counted(verdicts.length, "face")} matches`;
  return `${matching} of ${counted(verdicts.length, "face")} ${matching === 1 ? "matches" : "match"}`;
}
