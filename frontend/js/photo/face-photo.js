// @ts-check
import { h, setVars } from "../dom.js";
import { icon } from "../icons.js";
import { boxInPercent, faceAt, screenToPhoto, tagPlace } from "../geometry.js";
import { makeStop, rove } from "../roving.js";

/** @typedef {import("../faces/face-focus.js").FaceFocus} FaceFocus */
/** @typedef {{width: number, height: number}} Size */
/** @typedef {"plain" | "match" | "other" | "poor"} Tone */
/** @typedef {{index: number, box: import("../api/types.js").Box, label: string, tone: Tone}} Framed */

/** Pixels of the screen beside a box that still mean it, and the height of a box's tag. */
const SLACK_PX = 12;
const TAG_PX = 22;
/** With more faces than this, numbers appear only on the face that is looked at. */
const NUMBERED = 12;
/** @type {Partial<Record<Tone, import("../icons.js").IconName>>} */
const MARKS = { match: "check", other: "cross", poor: "question" };

/** A photo with the faces framed on it. Event: `shape`, which bubbles, its detail the size of the photo once known. */
export class FacePhoto extends HTMLElement {
  #image = h("img", { decoding: "async" });
  #boxes = h("div", { class: "boxes", role: "group", "aria-label": "Faces in the photo" });
  #unseen = h("p", { class: "unseen", hidden: true }, "This browser cannot show this photo.");
  #stage = h("div", { class: "stage" }, this.#image, this.#unseen, this.#boxes, h("div", { class: "scan" }));
  /** @type {Set<string>} sources this browser could not show */
  #failed = new Set();
  /** @type {Size | null} */
  #size = null;
  /** @type {readonly Framed[]} */
  #faces = [];
  /** @type {FaceFocus | null} */
  #focus = null;

  connectedCallback() {
    if (this.#stage.isConnected) return;
    this.append(this.#stage);
    this.#image.addEventListener("load", () => this.#loaded());
    rove(this.#boxes, ".box");
    new ResizeObserver(() => this.#placeTags()).observe(this.#stage);
    this.#stage.addEventListener("pointermove", (event) => this.#focus?.hover(this.#faceUnder(event)));
    this.#stage.addEventListener("pointerleave", () => this.#focus?.hover(null));
    this.#stage.addEventListener("click", (event) => this.#pick(event));
  }

  /**
   * @param {string[]} sources addresses to try, best first
   * @param {string} alt
   * @param {Size | null} [size] of the upright photo, where it is known
   */
  show(sources, alt, size = null) {
    const source = sources.find((each) => !this.#failed.has(each));
    this.#image.alt = alt;
    this.#image.hidden = source === undefined;
    this.#unseen.hidden = source !== undefined;
    this.#image.onerror = () => {
      if (source) this.#failed.add(source);
      this.show(sources, alt, size);
    };
    if (size) this.#shape(size);
    if (source && this.#image.src !== new URL(source, location.href).href) this.#image.src = source;
  }

  set working(/** @type {boolean} */ working) {
    this.toggleAttribute("data-working", working);
  }

  /**
   * @param {readonly Framed[]} faces
   * @param {FaceFocus} focus
   */
  frame(faces, focus) {
    this.#faces = faces;
    this.#focus = focus;
    this.toggleAttribute("data-numbered", faces.length <= NUMBERED);
    this.#boxes.replaceChildren(...faces.map((face, order) => this.#frameOf(face, order)));
    this.#boxes.hidden = faces.length === 0;
    this.#placeTags();
    focus.watch(() => this.#light());
  }

  /**
   * Changes what the frames say, not where they are.
   * @param {readonly Framed[]} faces
   */
  retone(faces) {
    this.#faces = faces;
    for (const { index, tone, label } of faces) {
      const button = this.#button(index);
      button?.setAttribute("aria-label", label);
      if (button && button.dataset.tone !== tone) {
        button.dataset.tone = tone;
        button.querySelector(".tag")?.replaceChildren(...tagOf(index, tone));
      }
    }
  }

  /**
   * @param {Framed} face
   * @param {number} order
   */
  #frameOf({ index, box, label, tone }, order) {
    const size = this.#size ?? { width: 1, height: 1 };
    const tag = h("span", { class: "tag" }, ...tagOf(index, tone));
    const properties = { class: "box", type: "button", "aria-label": label, "data-index": index, "data-tone": tone };
    const button = h("button", { ...properties }, tag);
    const { x, y, width, height } = boxInPercent(box, size);
    setVars(button, { x: `${x}%`, y: `${y}%`, w: `${width}%`, h: `${height}%`, order: Math.min(order, 20) });
    button.addEventListener("focus", () => this.#focus?.hover(index));
    button.addEventListener("blur", () => this.#focus?.hover(null));
    return button;
  }

  /** Tags have the same size on every screen, and so more or less room on the photo. */
  #placeTags() {
    const size = this.#size;
    if (!size) return;
    for (const { index, box } of this.#faces) {
      const place = tagPlace(box, size, TAG_PX / this.#scale);
      const narrow = box.width * this.#scale < TAG_PX && this.#faces.length > 1;
      const button = this.#button(index);
      button?.setAttribute("data-tag", place);
      button?.toggleAttribute("data-narrow", narrow);
    }
  }

  #light() {
    const active = this.#focus?.active ?? null;
    const selected = this.#focus?.state.selected ?? null;
    const buttons = /** @type {NodeListOf<HTMLElement>} */ (this.#boxes.querySelectorAll(".box"));
    for (const button of buttons) {
      const index = Number(button.dataset.index);
      button.toggleAttribute("data-active", index === active);
      button.setAttribute("aria-pressed", String(index === selected));
    }
    this.toggleAttribute("data-spotlight", this.#focus?.state.hovered !== null && buttons.length > 1);
    makeStop(
      [...buttons],
      Math.max(
        0,
        [...buttons].findIndex((button) => Number(button.dataset.index) === selected),
      ),
    );
  }

  /** @param {MouseEvent} event */
  #pick(event) {
    const target = /** @type {HTMLElement} */ (event.target).closest(".box");
    // A click by keyboard comes from the button itself and has no place on the photo.
    const index = event.detail === 0 && target ? Number(target.getAttribute("data-index")) : this.#faceUnder(event);
    if (index !== null) this.#focus?.select(index);
  }

  /** @param {MouseEvent} event */
  #faceUnder(event) {
    if (!this.#size) return null;
    const point = screenToPhoto(
      { x: event.clientX, y: event.clientY },
      this.#stage.getBoundingClientRect(),
      this.#size,
    );
    return faceAt(point, this.#faces, SLACK_PX / this.#scale);
  }

  /** Pixels of the screen for a pixel of the photo. */
  get #scale() {
    return this.#size ? Math.max(this.#stage.clientWidth, 1) / this.#size.width : 1;
  }

  /** @param {number} index */
  #button(index) {
    return /** @type {HTMLElement | null} */ (this.#boxes.querySelector(`[data-index="${index}"]`));
  }

  #loaded() {
    const { naturalWidth: width, naturalHeight: height } = this.#image;
    if (!this.#size && width > 0) this.#shape({ width, height });
  }

  /** @param {Size} size */
  #shape(size) {
    this.#size = size;
    setVars(this.#stage, { width: size.width, height: size.height });
    this.#stage.toggleAttribute("data-shaped", true);
    this.dispatchEvent(new CustomEvent("shape", { detail: size, bubbles: true }));
  }
}

customElements.define("face-photo", FacePhoto);

/**
 * @param {number} index
 * @param {Tone} tone
 */
function tagOf(index, tone) {
  const mark = MARKS[tone];
  return mark ? [icon(mark), String(index + 1)] : [String(index + 1)];
}
