// @ts-check
import { announce } from "../announce.js";
import { vocabulary } from "../api/vocabulary.js";
import { h } from "../dom.js";
import { icon } from "../icons.js";
import { PhotoIntake, pastedPhotos } from "../intake/photo-intake.js";
import { Submission } from "../jobs/submission.js";
import { Semaphore } from "../semaphore.js";
import { counted } from "../words.js";
import { DetectOptions, optionWords, sameOptions } from "./detect-options.js";
import { DetectionPanel } from "./detection-panel.js";
import { PictureTray } from "./picture-tray.js";

/** @typedef {import("./detect-options.js").DetectionOptions} DetectionOptions */
/** @typedef {{file: File, name: string, preview: string, options: DetectionOptions, submission: Submission, panel: DetectionPanel}} Picture */

/** Browsers hold six connections to a host, and each job under way keeps one waiting for news. */
const AT_ONCE = 3;
/** A finger drops nothing. */
const INTAKE_TITLE = matchMedia("(pointer: coarse)").matches ? "Add photos" : "Drop photos here";

/** Photos in, faces out. */
export class DetectView extends HTMLElement {
  #api;
  #turns = new Semaphore(AT_ONCE);
  /** @type {Picture[]} */
  #pictures = [];
  #picked = 0;
  #options = new DetectOptions();
  #intake = new PhotoIntake({ title: INTAKE_TITLE, hint: "or paste one. JPEG, PNG, WebP, HEIC or AVIF.", multiple: true });
  #tray = new PictureTray();
  #again = h("button", { type: "button", class: "primary", hidden: true });
  #reset = h("button", { type: "button", class: "quiet reset", hidden: true }, icon("cross"), "Start over");
  #session = h("div", { class: "session", hidden: true });
  #place = h("div", { class: "panel-place" });

  /** @param {import("../api/api.js").Api} api */
  constructor(api) {
    super();
    this.#api = api;
  }

  connectedCallback() {
    if (this.firstChild) return;
    const lede = h(
      "p",
      { class: "lede" },
      "Every face on a photo, framed. Estimates of age, gender, ethnicity and emotion only where you ask for them.",
    );
    const heading = h("header", {}, h("h1", { tabindex: -1 }, "Find faces"), lede);
    this.#session.append(this.#tray, this.#place);
    this.append(
      heading,
      h("div", { class: "asking" }, this.#options, this.#again, this.#reset),
      this.#intake,
      this.#session,
    );
    this.#intake.addEventListener("photos", (event) => this.add(/** @type {CustomEvent<File[]>} */ (event).detail));
    this.#tray.addEventListener("pick", (event) => this.#pick(/** @type {CustomEvent<number>} */ (event).detail));
    this.#options.addEventListener("input", () => this.#offerAgain());
    this.#again.addEventListener("click", () => this.#runAgain());
    this.#reset.addEventListener("click", () => this.#startOver());
    document.addEventListener("paste", (event) => {
      if (!this.hidden) this.#intake.give(pastedPhotos(event));
    });
  }

  /** @param {readonly File[]} files */
  add(files) {
    const added = files.map((file) => this.#send(file, URL.createObjectURL(file), this.#options.value));
    this.#pictures = [...this.#pictures, ...added];
    this.#show(this.#pictures.length - added.length);
  }

  /**
   * @param {File} file
   * @param {string} preview
   * @param {DetectionOptions} options
   * @returns {Picture}
   */
  #send(file, preview, options) {
    const submission = new Submission(this.#api, (asking) => this.#api.detect(file, options, asking));
    const panel = new DetectionPanel(this.#api, submission, {
      preview,
      actions: (fault) => [this.#remedy(fault, submission)],
    });
    const name = file.name || "Photo";
    this.#turns
      .run(() => submission.run())
      .then(() => {
        this.#offerAgain();
        if (!panel.isConnected) announce(`${name} is done.`);
      });
    return { file, name, preview, options, submission, panel };
  }

  /**
   * What helps after a failure.
   * @param {import("../api/vocabulary.js").Fault} fault
   * @param {Submission} submission
   */
  #remedy(fault, submission) {
    if (vocabulary.needsAnotherPhoto(fault)) {
      const choose = h("button", { type: "button" }, icon("photos"), "Choose another photo");
      choose.addEventListener("click", () => this.#intake.choose());
      return choose;
    }
    const button = h("button", { type: "button" }, icon("redo"), "Try again");
    button.addEventListener("click", () =>
      this.#resend(this.#pictures.findIndex((picture) => picture.submission === submission)),
    );
    return button;
  }

  /**
   * Sends a picture once more, in its place.
   * @param {number} place
   * @param {DetectionOptions} [options] as before when left out
   */
  #resend(place, options) {
    const picture = this.#pictures[place];
    if (!picture) return;
    const sent = this.#send(picture.file, picture.preview, options ?? picture.options);
    this.#pictures = this.#pictures.with(place, sent);
    this.#show(place);
  }

  #runAgain() {
    const options = this.#options.value;
    const shown = this.#picked;
    this.#pictures.forEach((picture, place) => {
      if (picture.submission.over && !sameOptions(picture.options, options)) this.#resend(place, options);
    });
    this.#pick(shown);
  }

  #offerAgain() {
    const options = this.#options.value;
    const stale = this.#pictures.filter((picture) => !sameOptions(picture.options, options) && picture.submission.over);
    this.#again.hidden = stale.length === 0;
    this.#again.replaceChildren(
      icon("redo"),
      this.#pictures.length > 1 ? `Apply to ${counted(stale.length, "photo")}` : "Apply",
    );
    this.#again.title = `Run again with ${optionWords(options)}`;
  }

  /** @param {number} place */
  #show(place) {
    const any = this.#pictures.length > 0;
    this.toggleAttribute("data-busy", any);
    this.#intake.toggleAttribute("data-slim", any);
    this.#session.hidden = !any;
    this.#reset.hidden = !any;
    this.#tray.hidden = this.#pictures.length < 2;
    this.#tray.show(this.#pictures, place);
    this.#pick(place);
  }

  /** @param {number} place */
  #pick(place) {
    this.#picked = place;
    this.#tray.pick(place);
    const panel = this.#pictures[place]?.panel;
    this.#place.replaceChildren(...(panel ? [panel] : []));
    this.#offerAgain();
  }

  #startOver() {
    for (const { submission, preview } of this.#pictures) {
      submission.leave();
      URL.revokeObjectURL(preview);
    }
    this.#pictures = [];
    this.#show(0);
    /** @type {HTMLElement | null} */ (this.querySelector("h1"))?.focus();
  }
}

customElements.define("detect-view", DetectView);
