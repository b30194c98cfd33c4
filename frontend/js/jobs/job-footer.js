// @ts-check
import { h } from "../dom.js";
import { duration } from "../words.js";

/** @type {Record<string, string>} */
const STAGE_WORDS = { queued: "queue", detector: "finding faces", analyzer: "estimates", verifier: "comparing" };

/** What a stage's model took is part of what the stage took. */
const MODEL = "_model";

/**
 * Which models answered, and how long each step took.
 * @param {import("../api/types.js").Job} job
 */
export function jobFooter(job) {
  const models = [...new Set(Object.values(job.models))];
  const times = Object.entries(job.timings_ms)
    .filter(([stage]) => !stage.endsWith(MODEL))
    .map(([stage, ms]) => {
      const modelMs = job.timings_ms[stage + MODEL];
      return `${STAGE_WORDS[stage] ?? stage} ${duration(ms)}${modelMs === undefined ? "" : ` (model ${duration(modelMs)})`}`;
    });
  return h("p", { class: "job-footer" }, [...models, ...times].join("  ·  "));
}
