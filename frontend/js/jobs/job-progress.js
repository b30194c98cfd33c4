// @ts-check
import { announce } from "../announce.js";
import { vocabulary } from "../api/vocabulary.js";
import { h } from "../dom.js";
import { stepsOf } from "./stages.js";

/** @typedef {import("./submission.js").Submission} Submission */

/** How far a job is, step by step, with a way to stop it. */
export class JobProgress extends HTMLElement {
  #submission;
  #doing = h("p", { class: "doing" });
  #note = h("p", { class: "note" });
  #steps = h("ol", { class: "steps", role: "list", "aria-label": "Progress" });
  #said = "";

  /** @param {Submission} submission */
  constructor(submission) {
    super();
    this.#submission = submission;
  }

  connectedCallback() {
    if (this.firstChild) return;
    const cancel = h("button", { type: "button", class: "quiet" }, "Cancel");
    cancel.addEventListener("click", () => {
      cancel.disabled = true;
      this.#submission.cancel();
    });
    this.append(h("div", { class: "row" }, this.#doing, cancel), this.#steps, this.#note);
    this.#submission.watch((state) => this.#render(state));
    vocabulary.told(() => this.#render(this.#submission.state));
  }

  /** @param {import("./submission.js").SubmissionState} state */
  #render(state) {
    const steps = stepsOf(state.job);
    const now = steps.find((step) => step.state === "now");
    const doing = state.phase === "waiting" ? "Waiting for its turn" : (now?.doing ?? "Done");
    this.#doing.textContent = `${doing}…`;
    this.#note.textContent = state.note;
    this.#steps.replaceChildren(...steps.map((step) => stepOf(step)));
    const sentence = [doing, state.note].filter(Boolean).join(". ");
    if (sentence !== this.#said && !this.#submission.over) announce(sentence);
    this.#said = sentence;
  }
}

customElements.define("job-progress", JobProgress);

/** @param {import("./stages.js").Step} step */
function stepOf(step) {
  return h("li", { "data-state": step.state, "aria-current": step.state === "now" && "step" }, step.label);
}
