// @ts-check
import { h } from "../dom.js";
import { FaceDetail } from "../faces/face-detail.js";
import { FaceFocus } from "../faces/face-focus.js";
import { FaceGallery } from "../faces/face-gallery.js";
import { estimateWords, faceSentence } from "../faces/face-words.js";
import { jobFooter } from "../jobs/job-footer.js";
import { resultActions } from "../jobs/result-actions.js";
import { counted } from "../words.js";

/** @typedef {import("../api/api.js").Api} Api */
/** @typedef {import("../api/types.js").JobView} Job */
/** @typedef {import("../api/types.js").DetectionResult} Result */
/** @typedef {import("../photo/face-photo.js").FacePhoto} FacePhoto */

/** The faces found on a photo: frames on the photo, crops and details beside it. */
export class DetectionResultView extends HTMLElement {
  #api;
  #job;
  #photo;
  #preview;
  #result;

  /**
   * @param {Api} api
   * @param {Job} job a detection that succeeded
   * @param {FacePhoto} photo where the frames go
   * @param {string | null} preview the photo as the browser already holds it
   */
  constructor(api, job, photo, preview) {
    super();
    this.#api = api;
    this.#job = job;
    this.#photo = photo;
    this.#preview = preview;
    this.#result = /** @type {Result} */ (job.result);
  }

  connectedCallback() {
    if (this.firstChild) return;
    const { faces } = this.#result;
    const heading = h("h2", { class: "result-title", tabindex: -1 }, this.headline);
    const bar = h(
      "div",
      { class: "result-bar" },
      heading,
      resultActions(this.#api, this.#job, faces, this.#result.annotated_url),
    );
    const focus = new FaceFocus(faces[0]?.index ?? null);
    const side = faces.length > 0 ? this.#side(focus) : this.#noFaces();
    this.replaceChildren(bar, h("div", { class: "result-columns" }, this.#photo, side), jobFooter(this.#job));
    this.#showPhoto(focus);
  }

  get headline() {
    const { faces } = this.#result;
    return faces.length === 0 ? "No faces found" : `${counted(faces.length, "face")} found`;
  }

  /** The whole result in a sentence or two, for a screen reader. */
  get sentence() {
    const { faces } = this.#result;
    const only = faces.length === 1 && faces[0] ? estimateWords(faces[0]) : "";
    return only ? `${this.headline}, estimated ${only}.` : `${this.headline}.`;
  }

  /** @param {FaceFocus} focus */
  #side(focus) {
    const { faces } = this.#result;
    const detail = new FaceDetail(this.#api, this.#job, faces, focus);
    const gallery = faces.length > 1 ? new FaceGallery(this.#api, faces, focus) : null;
    return h("div", { class: "result-side" }, gallery, detail);
  }

  #noFaces() {
    const advice =
      "Faces may be too small, too dark or turned away. A lower minimum confidence finds more, and errs more.";
    return h("div", { class: "result-side" }, h("p", { class: "notice" }, advice));
  }

  /** @param {FaceFocus} focus */
  async #showPhoto(focus) {
    const { image, faces } = this.#result;
    const size = { width: image.width, height: image.height };
    const alt = faces.length === 0 ? "The photo" : `The photo, with ${counted(faces.length, "face")} framed`;
    this.#photo.working = false;
    this.#photo.show(this.#preview ? [this.#preview] : [], alt, size);
    const framed = faces.map((face) => ({
      index: face.index,
      box: face.box,
      label: faceSentence(face),
      tone: /** @type {const} */ ("plain"),
    }));
    this.#photo.frame(framed, focus);
    // A preview that this browser cannot show, such as HEIC, gives way to what the server has.
    const stored = await this.#api.source(image.url).catch(() => null);
    const sources = [this.#preview, stored].filter((source) => source !== null);
    this.#photo.show(sources, alt, size);
  }
}

customElements.define("detection-result", DetectionResultView);
