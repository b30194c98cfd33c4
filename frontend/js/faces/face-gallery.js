// @ts-check
import { h } from "../dom.js";
import { makeStop, rove } from "../roving.js";
import { faceName, faceSentence, shortEstimate } from "./face-words.js";
import { showPicture } from "../photo/show-picture.js";

/** @typedef {import("../api/types.js").Face} Face */
/** @typedef {import("./face-focus.js").FaceFocus} FaceFocus */

/** The crops of a photo's faces, lighting up together with their frames. */
export class FaceGallery extends HTMLElement {
  #focus;
  /** @type {HTMLButtonElement[]} */
  #buttons;

  /**
   * @param {import("../api/api.js").Api} api
   * @param {readonly Face[]} faces
   * @param {FaceFocus} focus
   */
  constructor(api, faces, focus) {
    super();
    this.#focus = focus;
    this.#buttons = faces.map((face) => this.#cropOf(api, face));
  }

  connectedCallback() {
    if (this.firstChild) return;
    const items = this.#buttons.map((button) => h("li", {}, button));
    const list = h("ul", { class: "crops", role: "list", "aria-label": "Faces" }, ...items);
    list.addEventListener("pointerleave", () => this.#focus.hover(null));
    rove(list, "button");
    this.append(list);
    this.#focus.watch(() => this.#light());
  }

  /**
   * @param {import("../api/api.js").Api} api
   * @param {Face} face
   */
  #cropOf(api, face) {
    const image = h("img", { alt: "", loading: "lazy", decoding: "async" });
    showPicture(api, image, face.crop_url);
    const caption = h(
      "span",
      { class: "caption", "aria-hidden": "true" },
      shortEstimate(face) || String(face.index + 1),
    );
    const button = h(
      "button",
      { type: "button", "aria-label": faceSentence(face), title: faceName(face) },
      image,
      caption,
    );
    button.dataset.index = String(face.index);
    button.addEventListener("pointerenter", () => this.#focus.hover(face.index));
    button.addEventListener("focus", () => this.#focus.hover(face.index));
    button.addEventListener("blur", () => this.#focus.hover(null));
    button.addEventListener("click", () => this.#focus.select(face.index));
    return button;
  }

  #light() {
    const { active, state } = this.#focus;
    for (const button of this.#buttons) {
      const index = Number(button.dataset.index);
      button.toggleAttribute("data-active", index === active);
      button.setAttribute("aria-pressed", String(index === state.selected));
    }
    const stop = this.#buttons.findIndex((button) => Number(button.dataset.index) === state.selected);
    makeStop(this.#buttons, Math.max(0, stop));
    this.#reveal(active);
  }

  /**
   * Brings a crop into view inside the gallery, never moving the page.
   * @param {number | null} index
   */
  #reveal(index) {
    const list = this.querySelector(".crops");
    const button = this.#buttons.find((each) => Number(each.dataset.index) === index);
    if (!list || !button || this.contains(document.activeElement) || this.matches(":hover")) return;
    const inside = list.getBoundingClientRect();
    const crop = button.getBoundingClientRect();
    if (crop.top < inside.top || crop.bottom > inside.bottom) list.scrollTop += crop.top - inside.top - 8;
    if (crop.left < inside.left || crop.right > inside.right) list.scrollLeft += crop.left - inside.left - 8;
  }
}

customElements.define("face-gallery", FaceGallery);
