// @ts-check
import { vocabulary } from "../api/vocabulary.js";
import { h } from "../dom.js";
import { duration } from "../words.js";

/** The time before the first stage. */
const QUEUED = "queued";
/** What a stage's model took is part of what the stage took. */
const MODEL = "_model";

/**
 * Which models answered, and how long each step took.
 * @param {import("../api/types.js").JobView} job
 */
export function jobFooter(job) {
  const footer = h("p", { class: "job-footer" });
  vocabulary.told(() => {
    footer.textContent = [...new Set(Object.values(job.models)), ...timesOf(job)].join("  ·  ");
  });
  return footer;
}

/** @param {import("../api/types.js").JobView} job */
function timesOf(job) {
  return Object.entries(job.timings_ms)
    .filter(([stage]) => !stage.endsWith(MODEL))
    .map(([stage, ms]) => {
      const modelMs = job.timings_ms[stage + MODEL];
      const noun = stage === QUEUED ? "queue" : vocabulary.stage(stage).noun;
      return `${noun} ${duration(ms)}${modelMs === undefined ? "" : ` (model ${duration(modelMs)})`}`;
    });
}
