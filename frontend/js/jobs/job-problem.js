// @ts-check
import { vocabulary } from "../api/vocabulary.js";
import { h } from "../dom.js";
import { icon } from "../icons.js";

/** @typedef {import("../api/vocabulary.js").Fault} Fault */

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
    if (phase === "refused") return problem;
    if (phase !== "ended" || !job) return null;
    if (job.status === "cancelled") return { code: "cancelled", detail: "" };
    return job.status === "failed" ? (job.error ?? { code: "internal_error", detail: "" }) : null;
  }

  connectedCallback() {
    const title = h("h2");
    const advice = h("p");
    vocabulary.told(() => {
      const words = vocabulary.problem(this.#fault);
      title.textContent = words.title;
      advice.textContent = words.advice;
    });
    this.dataset.code = this.#fault.code;
    const words = [title, advice];
    if (this.#fault.detail) words.push(h("p", { class: "detail" }, this.#fault.detail));
    const mark = this.#fault.code === "cancelled" ? icon("cross") : icon("alert");
    this.replaceChildren(mark, h("div", {}, ...words, h("div", { class: "actions" }, ...this.#actions)));
  }

  /** What a screen reader says when it appears. */
  get sentence() {
    const { title, advice } = vocabulary.problem(this.#fault);
    return `${title}. ${advice}`;
  }
}

customElements.define("job-problem", JobProblem);
