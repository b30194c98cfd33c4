// @ts-check
import { announce } from "../announce.js";
import { h } from "../dom.js";
import { jobFooter } from "./job-footer.js";
import { JobProblem } from "./job-problem.js";
import { JobProgress } from "./job-progress.js";
import { resultActions } from "./result-actions.js";

/** A job of a kind that this page has no picture for: how far it is, then its result to take away. */
export class PlainPanel extends HTMLElement {
  #api;
  #submission;
  #shown = "";

  /**
   * @param {import("../api/api.js").Api} api
   * @param {import("./submission.js").Submission} submission
   */
  constructor(api, submission) {
    super();
    this.#api = api;
    this.#submission = submission;
  }

  connectedCallback() {
    if (this.firstChild) return;
    this.#submission.watch((state) => this.#render(state));
  }

  /** @param {import("./submission.js").SubmissionState} state */
  #render(state) {
    const fault = JobProblem.faultOf(state);
    const next = fault ? "problem" : state.phase === "ended" ? "result" : "progress";
    if (next === this.#shown) return;
    this.#shown = next;
    if (fault) {
      const problem = new JobProblem(fault, []);
      this.replaceChildren(problem);
      announce(problem.sentence);
    } else if (next === "result" && state.job) {
      const title = h("h2", { class: "result-title", tabindex: -1 }, "Done");
      const bar = h("div", { class: "result-bar" }, title, resultActions(this.#api, state.job, [], null));
      this.replaceChildren(bar, jobFooter(state.job));
      announce("Done.");
    } else this.replaceChildren(new JobProgress(this.#submission));
  }
}

customElements.define("plain-panel", PlainPanel);
