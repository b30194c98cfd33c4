// @ts-check
import { h, setVars } from "../dom.js";
import { savePicture } from "../downloads.js";
import { icon } from "../icons.js";
import { showPicture } from "../photo/show-picture.js";
import { ageWords, wholePercent } from "../words.js";
import { faceName } from "./face-words.js";
import { ScoreBars } from "./score-bars.js";

/** @typedef {import("../api/api.js").Api} Api */
/** @typedef {import("../api/types.js").Face} Face */
/** @typedef {import("../api/types.js").JobView} Job */

const OLDEST_YEARS = 100;

/** Everything known of the face that is looked at. */
export class FaceDetail extends HTMLElement {
  #api;
  #job;
  #faces;
  #focus;
  /** @type {number | null} */
  #shown = null;

  /**
   * @param {Api} api
   * @param {Job} job
   * @param {readonly Face[]} faces
   * @param {import("./face-focus.js").FaceFocus} focus
   */
  constructor(api, job, faces, focus) {
    super();
    this.#api = api;
    this.#job = job;
    this.#faces = faces;
    this.#focus = focus;
  }

  connectedCallback() {
    this.#focus.watch(() => this.#render());
  }

  #render() {
    const index = this.#focus.active;
    const face = this.#faces.find((each) => each.index === index);
    if (!face || index === this.#shown) return;
    this.#shown = index;
    this.replaceChildren(this.#head(face), ...this.#estimates(face));
  }

  /** @param {Face} face */
  #head(face) {
    const image = h("img", { alt: `${faceName(face)}, cut out of the photo` });
    showPicture(this.#api, image, face.crop_url);
    const side = `${Math.round(face.box.width)} × ${Math.round(face.box.height)} px`;
    const confidence = h("p", { class: "confidence" }, h("b", {}, wholePercent(face.confidence)), " confidence");
    const download = h(
      "button",
      { type: "button", class: "quiet", "aria-label": `Download ${faceName(face).toLowerCase()}` },
      icon("download"),
      "Download",
    );
    download.addEventListener("click", () =>
      savePicture(this.#api, this.#job, face.crop_url, `face-${face.index + 1}`),
    );
    const words = h("div", {}, h("h3", {}, faceName(face)), confidence, h("p", { class: "size" }, side), download);
    return h("div", { class: "head" }, image, words);
  }

  /** @param {Face} face */
  #estimates(face) {
    const { age, gender, ethnicity, emotion } = face.attributes ?? {};
    const parts = [];
    if (age) parts.push(section("Age", ageScale(age)));
    if (gender) parts.push(section("Gender", new ScoreBars(gender)));
    if (ethnicity) parts.push(section("Ethnicity", new ScoreBars(ethnicity)));
    if (emotion) parts.push(section("Emotion", new ScoreBars(emotion)));
    if (parts.length > 0)
      parts.push(h("p", { class: "caveat" }, "Estimates of appearance by a model. They are often wrong."));
    return parts;
  }
}

customElements.define("face-detail", FaceDetail);

/**
 * @param {string} title
 * @param {HTMLElement} content
 */
function section(title, content) {
  return h("section", {}, h("h4", {}, title), content);
}

/** @param {import("../api/types.js").AgeEstimate} age */
function ageScale(age) {
  const from = Math.max(0, age.value - age.spread);
  const to = Math.min(OLDEST_YEARS, age.value + age.spread);
  const scale = h(
    "div",
    { class: "age-scale", "aria-hidden": "true" },
    h("span", { class: "spread" }),
    h("span", { class: "mean" }),
  );
  setVars(scale, {
    from: from / OLDEST_YEARS,
    to: to / OLDEST_YEARS,
    mean: Math.min(age.value, OLDEST_YEARS) / OLDEST_YEARS,
  });
  const ticks = h(
    "div",
    { class: "ticks", "aria-hidden": "true" },
    ...[0, 25, 50, 75, 100].map((year) => h("span", {}, String(year))),
  );
  return h("div", { class: "age" }, h("p", {}, ageWords(age)), scale, ticks);
}
