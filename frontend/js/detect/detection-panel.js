// @ts-check
import { announce } from "../announce.js";
import { h, setVars } from "../dom.js";
import { JobProblem } from "../jobs/job-problem.js";
import { JobProgress } from "../jobs/job-progress.js";
import { FacePhoto } from "../photo/face-photo.js";
import { DetectionResultView } from "./detection-result.js";

/** @typedef {import("../jobs/submission.js").Submission} Submission */

/** One detection from the moment it is sent: its progress, then its result or why there is none. */
export class DetectionPanel extends HTMLElement {
  #api;
  #submission;
  #preview;
  #actions;
  #photo = new FacePhoto();
  #shown = "";

  /**
   * @param {import("../api/api.js").Api} api
   * @param {Submission} submission
   * @param {{preview: string | null, actions: (fault: import("../api/vocabulary.js").Fault) => HTMLButtonElement[]}} parts
   *   the photo as the browser holds it, and what can be done after a failure
   */
  constructor(api, submission, { preview, actions }) {
    super();
    this.#api = api;
    this.#submission = submission;
    this.#preview = preview;
    this.#actions = actions;
  }

  connectedCallback() {
    if (this.firstChild) return;
    this.#photo.show(this.#preview ? [this.#preview] : [], "The photo being looked at");
    this.addEventListener("shape", (event) => {
      const { width, height } = /** @type {CustomEvent<{width: number, height: number}>} */ (event).detail;
      setVars(this, { width, height });
    });
    this.#submission.watch((state) => this.#render(state));
  }

  /** @param {import("./../jobs/submission.js").SubmissionState} state */
  #render(state) {
    const fault = JobProblem.faultOf(state);
    const next = fault ? "problem" : state.phase === "ended" ? "result" : "progress";
    if (next === this.#shown) return;
    const hadFocus = this.contains(document.activeElement);
    this.#shown = next;
    if (next === "progress") this.#showProgress();
    else {
      const outcome = fault
        ? new JobProblem(fault, this.#actions(fault))
        : new DetectionResultView(this.#api, /** @type {any} */ (state.job), this.#photo, this.#preview);
      this.replaceChildren(outcome);
      if (this.isConnected) announce(outcome.sentence);
      if (hadFocus) /** @type {HTMLElement | null} */ (this.querySelector("button, .result-title"))?.focus();
    }
  }

  #showProgress() {
    this.#photo.working = true;
    const progress = new JobProgress(this.#submission);
    const photo = this.#preview ? this.#photo : null;
    this.replaceChildren(h("div", { class: "progress-columns" }, photo, progress));
  }
}

customElements.define("detection-panel", DetectionPanel);
