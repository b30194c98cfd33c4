// @ts-check
import { announce } from "../announce.js";
import { vocabulary } from "../api/vocabulary.js";
import { h } from "../dom.js";
import { icon } from "../icons.js";
import { PhotoIntake, pastedPhotos } from "../intake/photo-intake.js";
import { Submission } from "../jobs/submission.js";
import { addStyles } from "../styles.js";
import { PhotoSlot } from "./photo-slot.js";
import { VerificationPanel } from "./verification-panel.js";

/** Two photos in: is the person of the first on the second? */
export class VerifyView extends HTMLElement {
  #api;
  #anchor = new PhotoSlot(
    "Anchor",
    new PhotoIntake({ title: "The face to look for", hint: "Drop or paste a photo of one person." }),
  );
  #image = new PhotoSlot(
    "Second photo",
    new PhotoIntake({ title: "Where to look", hint: "Drop or paste any photo, a crowd too." }),
  );
  #place = h("div", { class: "panel-place" });
  /** @type {Submission | null} */
  #submission = null;
  #swap = h("button", { type: "button", class: "quiet" }, icon("swap"), "Swap");
  #reset = h("button", { type: "button", class: "quiet" }, icon("cross"), "Start over");
  #bar = h("div", { class: "verify-bar", hidden: true }, this.#swap, this.#reset);

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
      "Is the person on one photo also on another? A threshold decides, and you can move it.",
    );
    const heading = h("header", {}, h("div", {}, h("h1", { tabindex: -1 }, "Compare faces"), lede), this.#bar);
    this.append(heading, h("div", { class: "slots" }, this.#anchor, this.#image), this.#place);
    for (const slot of [this.#anchor, this.#image]) slot.addEventListener("photo", () => this.#run());
    this.#swap.addEventListener("click", () => this.#exchange());
    this.#reset.addEventListener("click", () => this.#startOver());
    document.addEventListener("paste", (event) => {
      if (!this.hidden) this.#paste(pastedPhotos(event));
    });
  }

  /** Fills the first free place, or else the second photo. @param {File[]} files */
  #paste([first, second]) {
    if (!first) return;
    if (this.#anchor.file) this.#image.put(first);
    else if (second) this.put(first, second);
    else this.#anchor.put(first);
  }

  /**
   * @param {File} anchor
   * @param {File} image
   */
  put(anchor, image) {
    this.#anchor.put(anchor, { silent: true });
    this.#image.put(image);
  }

  #run() {
    const anchor = this.#anchor.file;
    const image = this.#image.file;
    this.#bar.hidden = !anchor && !image;
    this.#swap.disabled = !anchor || !image;
    if (!anchor || !image) {
      if (anchor) announce("The anchor is set. Now choose the second photo.");
      return;
    }
    this.#submission?.leave();
    const submission = new Submission(this.#api, (asking) => this.#api.verify(anchor, image, asking));
    this.#submission = submission;
    const previews = { anchor: this.#anchor.preview, image: this.#image.preview };
    const panel = new VerificationPanel(this.#api, submission, {
      previews,
      actions: (fault) => (vocabulary.needsAnotherPhoto(fault) ? [] : [this.#retryButton()]),
    });
    this.#place.replaceChildren(panel);
    this.toggleAttribute("data-busy", true);
    submission.run();
  }

  #retryButton() {
    const button = h("button", { type: "button" }, icon("redo"), "Try again");
    button.addEventListener("click", () => this.#run());
    return button;
  }

  #exchange() {
    const { file: anchor } = this.#anchor;
    const { file: image } = this.#image;
    if (anchor && image) this.put(image, anchor);
  }

  #startOver() {
    this.#submission?.leave();
    this.#submission = null;
    this.#anchor.clear();
    this.#image.clear();
    this.#place.replaceChildren();
    this.#bar.hidden = true;
    this.toggleAttribute("data-busy", false);
    /** @type {HTMLElement | null} */ (this.querySelector("h1"))?.focus();
  }
}

await addStyles(new URL("./verify-view.css", import.meta.url));
customElements.define("verify-view", VerifyView);
