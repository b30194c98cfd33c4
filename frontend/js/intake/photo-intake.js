// @ts-check
import { h } from "../dom.js";
import { icon } from "../icons.js";

const TYPES = "image/jpeg,image/png,image/webp,image/heic,image/heif,image/avif,.heic,.heif,.avif";

/**
 * Where photos come in: dropped, chosen or photographed; views hand pasted ones over. Event: `photos`, its detail the files.
 */
export class PhotoIntake extends HTMLElement {
  #title;
  #hint;
  #multiple;
  #picker;
  #content = h("div", { class: "content" });

  /** @param {{title: string, hint: string, multiple?: boolean}} words */
  constructor({ title, hint, multiple = false }) {
    super();
    this.#title = title;
    this.#hint = hint;
    this.#multiple = multiple;
    this.#picker = h("input", {
      type: "file",
      accept: TYPES,
      multiple,
      class: "visually-hidden",
      tabindex: -1,
      "aria-hidden": "true",
    });
  }

  connectedCallback() {
    if (this.firstChild) return;
    const choose = h(
      "button",
      { type: "button", class: "primary" },
      icon("photos"),
      this.#multiple ? "Choose photos" : "Choose photo",
    );
    choose.addEventListener("click", () => this.choose());
    const photograph = h("button", { type: "button" }, icon("camera"), "Use camera");
    photograph.addEventListener("click", () => this.#photograph());
    const words = h(
      "div",
      { class: "words" },
      h("p", { class: "title" }, this.#title),
      h("p", { class: "hint" }, this.#hint),
    );
    this.#content.append(words, h("div", { class: "buttons" }, choose, photograph));
    this.append(h("span", { class: "corners", "aria-hidden": "true" }), this.#content, this.#picker);
    this.#picker.addEventListener("change", () => {
      this.give([...(this.#picker.files ?? [])]);
      this.#picker.value = "";
    });
    this.#acceptDrops();
  }

  /** @param {File[]} files */
  give(files) {
    const photos = this.#multiple ? files : files.slice(0, 1);
    if (photos.length > 0) this.dispatchEvent(new CustomEvent("photos", { detail: photos }));
  }

  /** Opens the browser's own dialog. */
  choose() {
    this.#picker.click();
  }

  async #photograph() {
    const { CameraDialog } = await import("./camera-dialog.js");
    const photo = await CameraDialog.photograph();
    if (photo) this.give([photo]);
  }

  #acceptDrops() {
    // Entering a child leaves its parent: counting tells when the pointer has really gone.
    let inside = 0;
    const mark = () => this.toggleAttribute("data-over", inside > 0);
    this.addEventListener("dragenter", (event) => {
      event.preventDefault();
      inside++;
      mark();
    });
    this.addEventListener("dragleave", () => {
      inside--;
      mark();
    });
    this.addEventListener("dragover", (event) => event.preventDefault());
    this.addEventListener("drop", (event) => {
      event.preventDefault();
      inside = 0;
      mark();
      this.give([...(event.dataTransfer?.files ?? [])]);
    });
  }
}

customElements.define("photo-intake", PhotoIntake);

/**
 * The files of a paste, none when it was text.
 * @param {ClipboardEvent} event
 */
export function pastedPhotos(event) {
  return [...(event.clipboardData?.files ?? [])].filter((file) => file.type.startsWith("image/"));
}
