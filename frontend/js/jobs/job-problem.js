// @ts-check
import { explain } from "../api/explanations.js";
import { h } from "../dom.js";
import { icon } from "../icons.js";

/** @typedef {{code: string, detail: string}} Fault */

/** Why there is no result, in plain words, with what can be done now. */
export class JobProblem extends HTMLElement {
  #fault;
  #actions;

  /**
   * @param {Fault} fault
   * @param {HTMLButtonElement[]} actions
   */
  constructor(fault, actions) {
    super();
    this.#fault = fault;
    this.#actions = actions;
  }

  /**
   * The fault of a request that has ended without a result, null when it has one or is not over.
   * @param {import("./submission.js").SubmissionState} state
   * @returns {Fault | null}
   */
  static faultOf({ phase, problem, job }) {
    if (phase === "refused") return problem ? { code: problem.code, detail: problem.detail } : null;
    if (phase !== "ended" || !job) return null;
    if (job.status === "cancelled") return { code: "cancelled", detail: "" };
    return job.status === "failed" ? (job.error ?? { code: "internal_error", detail: "" }) : null;
  }

  connectedCallback() {
    const { title, advice } = explain(this.#fault.code);
    this.dataset.code = this.#fault.code;
    const words = [h("h2", {}, title), h("p", {}, advice)];
    if (this.#fault.detail) words.push(h("p", { class: "detail" }, this.#fault.detail));
    const mark = this.#fault.code === "cancelled" ? icon("cross") : icon("alert");
    this.replaceChildren(mark, h("div", {}, ...words, h("div", { class: "actions" }, ...this.#actions)));
  }

  /** What a screen reader says when it appears. */
  get sentence() {
    const { title, advice } = explain(this.#fault.code);
    return `${title}. ${advice}`;
  }
}

customElements.define("job-problem", JobProblem);
