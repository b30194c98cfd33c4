// @ts-check
import { Problem } from "../api/problem.js";
import { vocabulary } from "../api/vocabulary.js";
import { Store } from "../store.js";

/** @typedef {import("../api/api.js").Api} Api */
/** @typedef {import("../api/api.js").Asking} Asking */
/** @typedef {import("../api/types.js").JobView} Job */

/**
 * waiting: its turn has not come; sending; following: the job is under way; ended: `job` is terminal;
 * refused: `problem` says why there is no job, or no longer one.
 * @typedef {"waiting" | "sending" | "following" | "ended" | "refused"} Phase
 */

/** @typedef {{phase: Phase, job: Job | null, problem: Problem | null, note: string}} SubmissionState */

const WAIT_S = 20;
const ENDED = new Set(["succeeded", "failed", "cancelled"]);

/**
 * One request on its way from the page to its result.
 * @extends {Store<SubmissionState>}
 */
export class Submission extends Store {
  #api;
  #send;
  #abort = new AbortController();

  /**
   * @param {Api} api
   * @param {(asking: Asking) => Promise<Job>} send
   */
  constructor(api, send) {
    super({ phase: "waiting", job: null, problem: null, note: "" });
    this.#api = api;
    this.#send = send;
  }

  get over() {
    return this.state.phase === "ended" || this.state.phase === "refused";
  }

  /** Sends the request and follows its job to the end. Never rejects: `state` tells how it went. */
  async run() {
    const { signal } = this.#abort;
    if (signal.aborted) return;
    try {
      this.update({ phase: "sending", problem: null, note: "" });
      /** @type {Asking["onWait"]} */
      const onWait = (problem, seconds) => this.update({ note: waitNote(problem, seconds) });
      let job = await this.#send({ signal, onWait });
      while (!this.#take(job)) job = await this.#api.job(job.id, { waitS: WAIT_S, signal });
    } catch (error) {
      if (signal.aborted) return;
      this.update({ phase: "refused", problem: Problem.from(error), note: "" });
    }
  }

  /** Stops the work, wherever it is. */
  async cancel() {
    const { job } = this.state;
    if (job === null) {
      this.#abort.abort();
      this.update({ phase: "refused", problem: new Problem({ code: "cancelled" }), note: "" });
      return;
    }
    try {
      this.#take(await this.#api.cancel(job.id));
    } catch (error) {
      // It ended meanwhile: following it tells how.
      if (Problem.from(error).code !== "not_cancellable") this.update({ note: Problem.from(error).message });
    }
  }

  /** Stops following; the job itself goes on. */
  leave() {
    this.#abort.abort();
  }

  /**
   * @param {Job} job
   * @returns {boolean} whether it has ended
   */
  #take(job) {
    const ended = ENDED.has(job.status);
    if (this.state.phase === "ended") return true;
    this.update({ job, phase: ended ? "ended" : "following", note: lostNote(job) });
    return ended;
  }
}

/** @param {Job} job */
function lostNote(job) {
  return job.attempts > 1 ? `The worker was lost on the way; attempt ${job.attempts} is under way.` : "";
}

/**
 * @param {Problem} problem
 * @param {number} seconds
 */
function waitNote(problem, seconds) {
  const { title, advice } = vocabulary.problem(problem);
  return `${title}: trying again in ${Math.ceil(seconds)} s. ${advice}`;
}
