// @ts-check
import { h, setVars } from "../dom.js";
import { showPicture } from "../photo/show-picture.js";
import { addStyles } from "../styles.js";
import { percent } from "../words.js";
import { anyFalseMatch, nearestThreshold, placeInRange, similarityRange, verdict } from "./decision.js";

/** @typedef {import("../api/types.js").Match} Match */
/** @typedef {import("../api/types.js").Threshold} Threshold */

const STEPS = 1000;

/**
 * The threshold as a slider on the axis of similarity, with every face standing where it scored: what is right of the
 * handle matches. Event: `threshold`, its detail the measured threshold chosen.
 */
export class ThresholdAxis extends HTMLElement {
  #measured;
  #faces;
  #used;
  #anchor;
  #range;
  #chosen;
  #slider = h("input", { type: "range", min: 0, max: STEPS, step: 1, "aria-label": "Threshold of similarity" });
  #rates = h("dl", { class: "rates" });
  #reset = h("button", { type: "button", class: "quiet" }, "Back to the server’s");
  /** @type {HTMLElement[]} */
  #marks;

  /**
   * @param {import("../api/api.js").Api} api
   * @param {readonly Threshold[]} measured
   * @param {readonly Match[]} faces
   * @param {Threshold} used by the server
   * @param {import("../api/types.js").Quality | null} [anchor] what was measured of the anchor's face
   */
  constructor(api, measured, faces, used, anchor = null) {
    super();
    this.#anchor = anchor;
    this.#measured = measured;
    this.#faces = faces;
    this.#used = used;
    this.#chosen = used;
    this.#range = similarityRange(measured, faces);
    this.#marks = faces.map((face) => this.#markOf(api, face));
  }

  connectedCallback() {
    if (this.firstChild) return;
    const marks = h("div", { class: "marks", "aria-hidden": "true" }, ...this.#marks);
    const ends = h(
      "div",
      { class: "ends", "aria-hidden": "true" },
      h("span", {}, "More lenient"),
      h("span", {}, "Stricter"),
    );
    const head = h("div", { class: "axis-head" }, h("h3", {}, "Threshold"), this.#reset);
    this.append(head, h("div", { class: "axis" }, marks, this.#slider), ends, this.#rates);
    this.#slider.addEventListener("input", () => this.#choose(nearestThreshold(this.#measured, this.#sliderValue)));
    this.#slider.addEventListener("keydown", (event) => this.#step(event));
    this.#reset.addEventListener("click", () => {
      this.#choose(this.#used);
      this.#place();
      this.#slider.focus();
    });
    this.#slider.disabled = this.#measured.length < 2;
    this.#place();
    this.#render();
  }

  get #sliderValue() {
    const { from, to } = this.#range;
    return from + (this.#slider.valueAsNumber / STEPS) * (to - from);
  }

  /** Arrow keys go from one measured threshold to the next. @param {KeyboardEvent} event */
  #step(event) {
    const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    const next = step && this.#measured[this.#measured.indexOf(this.#chosen) + step];
    if (step) event.preventDefault();
    if (!next) return;
    this.#choose(next);
    this.#place();
  }

  /** @param {Threshold} threshold */
  #choose(threshold) {
    if (threshold === this.#chosen) return;
    this.#chosen = threshold;
    this.#render();
    this.dispatchEvent(new CustomEvent("threshold", { detail: threshold }));
  }

  #place() {
    this.#slider.valueAsNumber = Math.round(placeInRange(this.#chosen.value, this.#range) * STEPS);
  }

  #render() {
    const { value, far, frr } = this.#chosen;
    setVars(this, { at: placeInRange(value, this.#range) });
    this.#slider.setAttribute(
      "aria-valuetext",
      `${value.toFixed(2)}: false accepts ${percent(far)}, false rejects ${percent(frr)}`,
    );
    this.#rates.replaceChildren(
      rate("Similarity needed", value.toFixed(2), "at or above it, two faces count as one person"),
      rate("False accepts", percent(far), `of ${this.#strangers} taken for the same`),
      rate("False rejects", percent(frr), "of the same person missed"),
      ...this.#among(far),
    );
    this.#reset.hidden = this.#chosen === this.#used;
    this.#marks.forEach((mark, place) => {
      const face = this.#faces[place];
      if (face) mark.dataset.tone = verdict(face, this.#chosen, this.#anchor);
    });
  }

  /** Whom the measured false accepts are of: only a calibration that knows who looks alike tells all strangers apart. */
  get #strangers() {
    return this.#used.far_any == null ? "strangers" : "strangers who look alike";
  }

  /** @param {number} far */
  #among(far) {
    const judged = this.#faces.filter((face) => verdict(face, this.#chosen, this.#anchor) !== "poor").length;
    if (judged < 2) return [];
    const chance = percent(Number(anyFalseMatch(far, judged).toPrecision(2)));
    return [rate("At least one false match", chance, `the chance among these ${judged} faces, if all are ${this.#strangers}`)];
  }

  /**
   * @param {import("../api/api.js").Api} api
   * @param {Match} face
   */
  #markOf(api, face) {
    const image = h("img", { alt: "" });
    showPicture(api, image, face.face.crop_url);
    const mark = h("span", { class: "mark" }, image);
    setVars(mark, { place: placeInRange(face.similarity, this.#range) });
    return mark;
  }
}

await addStyles(new URL("./threshold-axis.css", import.meta.url));
customElements.define("threshold-axis", ThresholdAxis);

/**
 * @param {string} name
 * @param {string} figure
 * @param {string} meaning
 */
function rate(name, figure, meaning) {
  return h("div", {}, h("dt", {}, name), h("dd", {}, h("b", {}, figure), h("span", {}, meaning)));
}
