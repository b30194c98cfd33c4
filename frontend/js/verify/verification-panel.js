// @ts-check
import { announce } from "../announce.js";
import { JobProblem } from "../jobs/job-problem.js";
import { JobProgress } from "../jobs/job-progress.js";
import { VerificationResultView } from "./verification-result.js";

/** One verification from the moment it is sent: its progress, then its result or why there is none. */
export class VerificationPanel extends HTMLElement {
  #api;
  #submission;
  #previews;
  #actions;
  #shown = "";

  /**
   * @param {import("../api/api.js").Api} api
   * @param {import("../jobs/submission.js").Submission} submission
   * @param {{previews: {anchor: string | null, image: string | null}, actions: (fault: import("../api/vocabulary.js").Fault) => HTMLButtonElement[]}} parts
   *   the photos as the browser holds them, and what can be done after a failure
   */
  constructor(api, submission, { previews, actions }) {
    super();
    this.#api = api;
    this.#submission = submission;
    this.#previews = previews;
    this.#actions = actions;
  }

  connectedCallback() {
    if (this.firstChild) return;
    this.#submission.watch((state) => this.#render(state));
  }

  /** @param {import("../jobs/submission.js").SubmissionState} state */
  #render(state) {
    const fault = JobProblem.faultOf(state);
    const next = fault ? "problem" : state.phase === "ended" ? "result" : "progress";
    if (next === this.#shown) return;
    const hadFocus = this.contains(document.activeElement);
    this.#shown = next;
    if (next === "progress") {
      this.replaceChildren(new JobProgress(this.#submission));
      return;
    }
    const outcome = fault
      ? new JobProblem(fault, this.#actions(fault))
      : new VerificationResultView(this.#api, /** @type {any} */ (state.job), this.#previews);
    this.replaceChildren(outcome);
    if (this.isConnected) announce(outcome.sentence);
    if (hadFocus) /** @type {HTMLElement | null} */ (this.querySelector("button, .result-title"))?.focus();
  }
}

customElements.define("verification-panel", VerificationPanel);
