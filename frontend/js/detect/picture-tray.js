// @ts-check
import { h } from "../dom.js";
import { icon } from "../icons.js";
import { JobProblem } from "../jobs/job-problem.js";
import { makeStop, rove } from "../roving.js";
import { counted } from "../words.js";

/** @typedef {{name: string, preview: string, submission: import("../jobs/submission.js").Submission}} Picture */

/** The pictures of this visit, each with how far it is. Event: `pick`, its detail the picture's place. */
export class PictureTray extends HTMLElement {
  #list = h("ul", { role: "list", "aria-label": "Photos" });
  /** @type {HTMLButtonElement[]} */
  #buttons = [];
  #picked = 0;
  #watching = new AbortController();

  connectedCallback() {
    if (this.firstChild) return;
    rove(this.#list, "button");
    this.append(this.#list);
  }

  /**
   * @param {readonly Picture[]} pictures
   * @param {number} picked
   */
  show(pictures, picked) {
    this.#watching.abort();
    this.#watching = new AbortController();
    this.#buttons = pictures.map((picture, place) => this.#thumbnail(picture, place));
    this.#list.replaceChildren(...this.#buttons.map((button) => h("li", {}, button)));
    this.pick(picked);
  }

  /** @param {number} place */
  pick(place) {
    this.#picked = place;
    this.#buttons.forEach((button, index) => button.setAttribute("aria-pressed", String(index === place)));
    makeStop(this.#buttons, this.#picked);
  }

  /**
   * @param {Picture} picture
   * @param {number} place
   */
  #thumbnail({ name, preview, submission }, place) {
    const image = h("img", { src: preview, alt: "", decoding: "async" });
    image.addEventListener("error", () => image.toggleAttribute("data-broken", true));
    const badge = h("span", { class: "badge" });
    const button = h("button", { type: "button", title: name }, image, badge);
    button.addEventListener("click", () => this.dispatchEvent(new CustomEvent("pick", { detail: place })));
    submission.watch((state) => {
      const fault = JobProblem.faultOf(state);
      const faces = /** @type {any} */ (state.job?.result)?.faces?.length ?? 0;
      button.dataset.state = fault ? "problem" : state.phase === "ended" ? "done" : "working";
      badge.replaceChildren(...(fault ? [icon("alert")] : state.phase === "ended" ? [String(faces)] : []));
      const status = fault ? "no result" : state.phase === "ended" ? counted(faces, "face") : "working";
      button.setAttribute("aria-label", `${name}: ${status}`);
    }, this.#watching.signal);
    return button;
  }
}

customElements.define("picture-tray", PictureTray);
