// @ts-check
import { h } from "../dom.js";
import { icon } from "../icons.js";

/** @typedef {import("../intake/photo-intake.js").PhotoIntake} PhotoIntake */

/** A place for one photo: empty it takes one in, filled it shows which. Event: `photo`. */
export class PhotoSlot extends HTMLElement {
  #name;
  #intake;
  /** @type {File | null} */
  file = null;
  /** @type {string | null} the photo as the browser holds it */
  preview = null;

  /**
   * @param {string} name
   * @param {PhotoIntake} intake
   */
  constructor(name, intake) {
    super();
    this.#name = name;
    this.#intake = intake;
  }

  connectedCallback() {
    if (this.firstChild) return;
    this.setAttribute("role", "group");
    this.setAttribute("aria-label", this.#name);
    this.append(this.#intake);
    this.#intake.addEventListener("photos", (event) => {
      const [file] = /** @type {CustomEvent<File[]>} */ (event).detail;
      if (file) this.put(file);
    });
    this.addEventListener("dragover", (event) => event.preventDefault());
    this.addEventListener("drop", (event) => {
      const [file] = event.dataTransfer?.files ?? [];
      if (this.file && file) this.put(file);
      event.preventDefault();
    });
  }

  /**
   * @param {File} file
   * @param {{silent?: boolean}} [how] silent: without the event
   */
  put(file, { silent = false } = {}) {
    const hadFocus = this.contains(document.activeElement);
    this.#release();
    this.file = file;
    this.preview = URL.createObjectURL(file);
    const replace = h(
      "button",
      { type: "button", class: "quiet", "aria-label": `Replace ${this.#name.toLowerCase()}` },
      icon("redo"),
      "Replace",
    );
    replace.addEventListener("click", () => {
      this.clear();
      this.#intake.querySelector("button")?.focus();
    });
    const image = h("img", { src: this.preview, alt: `${this.#name} as chosen` });
    image.addEventListener("error", () => image.toggleAttribute("data-broken", true));
    const words = h("div", {}, h("p", {}, this.#name), h("p", { title: file.name }, file.name || "Pasted photo"));
    this.replaceChildren(h("div", { class: "filled" }, image, words, replace));
    if (hadFocus) replace.focus();
    if (!silent) this.dispatchEvent(new Event("photo"));
  }

  clear() {
    this.#release();
    this.file = null;
    this.preview = null;
    this.replaceChildren(this.#intake);
  }

  /** Results still show the old preview until the next is there. */
  #release() {
    const { preview } = this;
    if (preview) setTimeout(() => URL.revokeObjectURL(preview), 60_000);
  }
}

customElements.define("photo-slot", PhotoSlot);
