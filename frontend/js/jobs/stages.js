// @ts-check
/** The steps of a job as people follow them. Pure functions. */

/** @typedef {import("../api/types.js").Job} Job */
/** @typedef {import("../api/types.js").JobKind} JobKind */
/** @typedef {{name: string, label: string, doing: string, state: "done" | "now" | "ahead"}} Step */

/** @type {Record<string, [string, string]>} */
const WORDS = {
  send: ["Send", "Sending the photo"],
  queue: ["Queue", "Waiting for a free worker"],
  detector: ["Find faces", "Finding faces"],
  analyzer: ["Estimate", "Making the estimates"],
  verifier: ["Compare", "Comparing the faces"],
};

/**
 * The stages of a job, as `flow` in services/common/jobs.py defines them.
 * @param {JobKind} kind
 * @param {{analyze?: readonly string[]}} options
 */
export function stagesOf(kind, options) {
  if (kind === "verification") return ["detector", "verifier"];
  return options.analyze?.length ? ["detector", "analyzer"] : ["detector"];
}

/**
 * @param {JobKind} kind
 * @param {{analyze?: readonly string[]}} options
 * @param {Job | null} job null while the photo is still on its way
 * @returns {Step[]}
 */
export function stepsOf(kind, options, job) {
  const names = ["send", "queue", ...stagesOf(kind, options)];
  const current = currentStep(job);
  if (!names.includes(current)) names.push(current);
  const at = job && ["succeeded", "failed", "cancelled"].includes(job.status) ? names.length : names.indexOf(current);
  return names.map((name, index) => {
    const [label, doing] = WORDS[name] ?? [name, name];
    return { name, label, doing, state: index < at ? "done" : index === at ? "now" : "ahead" };
  });
}

/** @param {Job | null} job */
function currentStep(job) {
  if (job === null) return "send";
  if (job.status === "queued" && job.progress === 0) return "queue";
  return job.stage ?? "queue";
}
