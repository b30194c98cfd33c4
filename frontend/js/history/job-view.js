// @ts-check
import { Problem } from "../api/problem.js";
import { ConfirmDialog } from "../dialogs/confirm-dialog.js";
import { DetectionPanel } from "../detect/detection-panel.js";
import { h } from "../dom.js";
import { icon } from "../icons.js";
import { JobProblem } from "../jobs/job-problem.js";
import { PlainPanel } from "../jobs/plain-panel.js";
import { Submission } from "../jobs/submission.js";
import { addStyles } from "../styles.js";
import { VerificationPanel } from "../verify/verification-panel.js";
import { labelWords } from "../words.js";

/** One job by its address: followed while it runs, shown when it has ended. */
export class JobView extends HTMLElement {
  #api;
  #id;
  #submission;
  #heading = h("h1", { tabindex: -1 }, "Job");
  #when = h("p", { class: "lede" });
  #remove = h("button", { type: "button", class: "quiet" }, icon("trash"), "Delete");
  #place = h("div", { class: "panel-place" });

  /**
   * @param {import("../api/api.js").Api} api
   * @param {string} id
   */
  constructor(api, id) {
    super();
    this.#api = api;
    this.#id = id;
    this.#submission = new Submission(api, (asking) => api.job(id, asking));
  }

  connectedCallback() {
    const back = h("a", { href: "#/history", class: "back" }, "← History");
    const header = h(
      "header",
      {},
      back,
      h("div", { class: "job-head" }, h("div", {}, this.#heading, this.#when), this.#remove),
    );
    this.append(header, this.#place);
    this.#remove.addEventListener("click", () => this.#delete());
    this.#submission.watch((state) => this.#render(state));
    this.#submission.run();
  }

  disconnectedCallback() {
    this.#submission.leave();
  }

  /** @param {import("../jobs/submission.js").SubmissionState} state */
  #render(state) {
    if (this.#place.firstChild) return;
    const { job } = state;
    if (job) {
      this.#heading.textContent = labelWords(job.kind);
      this.#when.textContent = new Date(job.created_at).toLocaleString("en", { dateStyle: "long", timeStyle: "short" });
      this.#place.append(this.#panelOf(job));
      return;
    }
    const fault = JobProblem.faultOf(state);
    this.#remove.hidden = fault !== null;
    if (fault) this.#place.append(new JobProblem(fault, []));
  }

  /** @param {import("../api/types.js").JobView} job */
  #panelOf(job) {
    const actions = () => /** @type {HTMLButtonElement[]} */ ([]);
    if (job.kind === "verification") {
      return new VerificationPanel(this.#api, this.#submission, { previews: { anchor: null, image: null }, actions });
    }
    if (job.kind === "detection") {
      return new DetectionPanel(this.#api, this.#submission, { preview: null, actions });
    }
    return new PlainPanel(this.#api, this.#submission);
  }

  async #delete() {
    const sure = await ConfirmDialog.ask({
      title: "Delete this job?",
      text: "Its photos and faces go with it. This cannot be undone.",
      confirm: "Delete",
    });
    if (!sure) return;
    try {
      await this.#api.remove(this.#id);
    } catch (error) {
      const problem = Problem.from(error);
      if (problem.code !== "no_such_job") return this.#place.prepend(new JobProblem(problem, []));
    }
    location.hash = "#/history";
  }
}

await addStyles(new URL("./job-view.css", import.meta.url));
customElements.define("job-view", JobView);
