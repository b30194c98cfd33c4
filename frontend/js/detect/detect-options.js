// @ts-check
import { h } from "../dom.js";
import { labelWords, listed } from "../words.js";

/** @typedef {keyof import("../api/types.js").Attributes} Attribute */
/** @typedef {{analyze: Attribute[], minConfidence: number | null, maxFaces: number | null}} DetectionOptions */

/** @type {readonly Attribute[]} */
const ATTRIBUTES = ["age", "gender", "ethnicity", "emotion"];

/** What to ask of a detection. Nothing is estimated unless it is asked for. Its fields' `input` events bubble. */
export class DetectOptions extends HTMLElement {
  #chips = ATTRIBUTES.map((name) => ({ name, input: h("input", { type: "checkbox", name }) }));
  #confidence = h("input", { type: "number", min: 1, max: 100, step: 1, placeholder: "default", inputmode: "numeric" });
  #faces = h("input", { type: "number", min: 1, max: 1000, step: 1, placeholder: "all", inputmode: "numeric" });

  connectedCallback() {
    if (this.firstChild) return;
    const chips = this.#chips.map(({ name, input }) =>
      h("label", { class: "chip" }, input, h("span", {}, labelWords(name))),
    );
    const legend = h("legend", {}, "Also estimate");
    const fields = h(
      "div",
      { class: "fields" },
      h("label", {}, "Minimum confidence, %", this.#confidence),
      h("label", {}, "At most this many faces", this.#faces),
    );
    const more = h("details", {}, h("summary", {}, "More options"), fields);
    this.append(h("fieldset", {}, legend, h("div", { class: "chips" }, ...chips)), more);
  }

  /** @returns {DetectionOptions} */
  get value() {
    const confidence = inRange(this.#confidence);
    return {
      analyze: this.#chips.filter(({ input }) => input.checked).map(({ name }) => name),
      minConfidence: confidence === null ? null : confidence / 100,
      maxFaces: inRange(this.#faces),
    };
  }
}

customElements.define("detect-options", DetectOptions);

/**
 * @param {DetectionOptions} left
 * @param {DetectionOptions} right
 */
export function sameOptions(left, right) {
  return (
    left.analyze.join() === right.analyze.join() &&
    left.minConfidence === right.minConfidence &&
    left.maxFaces === right.maxFaces
  );
}

/**
 * @param {DetectionOptions} options
 */
export function optionWords({ analyze, minConfidence, maxFaces }) {
  const words = [analyze.length > 0 ? `estimates of ${listed(analyze)}` : "no estimates"];
  if (minConfidence !== null) words.push(`at least ${Math.round(minConfidence * 100)}% confidence`);
  if (maxFaces !== null) words.push(`at most ${maxFaces} faces`);
  return words.join(", ");
}

/**
 * The number in a field, held to its range; null where there is none.
 * @param {HTMLInputElement} input
 */
function inRange(input) {
  const value = input.valueAsNumber;
  return Number.isFinite(value) ? Math.min(Math.max(Math.round(value), Number(input.min)), Number(input.max)) : null;
}
