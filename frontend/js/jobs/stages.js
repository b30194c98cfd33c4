// @ts-check
/** The steps of a job as people follow them. Pure functions. */

import { vocabulary } from "../api/vocabulary.js";

/** @typedef {import("../api/types.js").JobView} Job */
/** @typedef {{name: string, label: string, doing: string, state: "done" | "now" | "ahead"}} Step */

/**
 * What comes before the first stage of any job.
 * @type {Record<string, {label: string, doing: string}>}
 */
const BEFORE = {
  send: { label: "Send", doing: "Sending the photo" },
  queue: { label: "Queue", doing: "Waiting for a free worker" },
};

/**
 * @param {Job | null} job null while the photo is still on its way
 * @returns {Step[]}
 */
export function stepsOf(job) {
  const names = [...Object.keys(BEFORE), ...(job?.steps ?? [])];
  const current = currentStep(job);
  if (!names.includes(current)) names.push(current);
  const at = job && ["succeeded", "failed", "cancelled"].includes(job.status) ? names.length : names.indexOf(current);
  return names.map((name, index) => {
    const { label, doing } = BEFORE[name] ?? vocabulary.stage(name);
    return { name, label, doing, state: index < at ? "done" : index === at ? "now" : "ahead" };
  });
}

/** @param {Job | null} job */
function currentStep(job) {
  if (job === null) return "send";
  if (job.status === "queued" && job.progress === 0) return "queue";
  return job.stage ?? "queue";
}
