// @ts-check
import { announce } from "../announce.js";
import { h } from "../dom.js";
import { FaceFocus } from "../faces/face-focus.js";
import { faceName } from "../faces/face-words.js";
import { icon } from "../icons.js";
import { jobFooter } from "../jobs/job-footer.js";
import { resultActions } from "../jobs/result-actions.js";
import { FacePhoto } from "../photo/face-photo.js";
import { showPicture } from "../photo/show-picture.js";
import { addStyles } from "../styles.js";
import { wholePercent } from "../words.js";
import { everyFace, measuredThresholds, verdict } from "./decision.js";
import { MatchList } from "./match-list.js";
import { ThresholdAxis } from "./threshold-axis.js";
import { noticeWords, outcomeWords, verdictWords } from "./verdict-words.js";

/** @typedef {import("../api/types.js").Threshold} Threshold */
/** @typedef {import("../api/types.js").VerificationResult} Result */

/** The anchor face beside every face of the second photo, judged at a threshold that can be moved. */
export class VerificationResultView extends HTMLElement {
  #api;
  #job;
  #previews;
  #result;
  #faces;
  #threshold;
  #photo = new FacePhoto();
  #heading = h("h2", { class: "result-title", tabindex: -1 });

  /**
   * @param {import("../api/api.js").Api} api
   * @param {import("../api/types.js").JobView} job a verification that succeeded
   * @param {{anchor: string | null, image: string | null}} previews the photos as the browser already holds them
   */
  constructor(api, job, previews) {
    super();
    this.#api = api;
    this.#job = job;
    this.#previews = previews;
    this.#result = /** @type {Result} */ (job.result);
    this.#faces = everyFace(this.#result);
    this.#threshold = this.#result.threshold;
  }

  connectedCallback() {
    if (this.firstChild) return;
    const focus = new FaceFocus(this.#faces[0]?.face.index ?? null);
    const list = new MatchList(this.#api, this.#faces, focus);
    const faces = this.#faces.map(({ face }) => face);
    const bar = h(
      "div",
      { class: "result-bar" },
      this.#heading,
      resultActions(this.#api, this.#job, faces, this.#result.annotated_url),
    );
    const notices = (this.#result.notices ?? []).map((notice) => h("li", {}, icon("alert"), noticeWords(notice)));
    const notes = notices.length > 0 ? h("ul", { class: "notices", role: "list" }, ...notices) : null;
    const second = h("figure", {}, h("figcaption", {}, "Second photo"), this.#photo);
    const columns = h(
      "div",
      { class: "verify-columns" },
      this.#anchor(),
      h("div", { class: "middle" }, second, this.#axis(list)),
      list,
    );
    this.append(...[bar, notes, columns, jobFooter(this.#job)].filter((part) => part !== null));
    this.#showPhoto(focus);
    this.#judge(list);
  }

  get #verdicts() {
    return this.#faces.map((face) => verdict(face, this.#threshold, this.#result.anchor_quality));
  }

  /** The whole result in a sentence, for a screen reader. */
  get sentence() {
    return `${outcomeWords(this.#verdicts)}.`;
  }

  #anchor() {
    const crop = h("img", { alt: "The anchor face, cut out of its photo" });
    showPicture(this.#api, crop, this.#result.anchor_face.crop_url);
    const confidence = `${wholePercent(this.#result.anchor_face.confidence)} confidence`;
    const photo = new FacePhoto();
    const { anchor, anchor_face: face } = this.#result;
    load(this.#api, photo, this.#previews.anchor, anchor, "The anchor photo");
    const alone = new FaceFocus(face.index);
    photo.frame([{ index: face.index, box: face.box, label: "The anchor face", tone: "plain" }], alone);
    return h("figure", { class: "anchor" }, h("figcaption", {}, "Anchor"), crop, h("p", {}, confidence), photo);
  }

  /** @param {MatchList} list */
  #axis(list) {
    if (this.#faces.length === 0) return null;
    const axis = new ThresholdAxis(
      this.#api,
      measuredThresholds(this.#result),
      this.#faces,
      this.#result.threshold,
      this.#result.anchor_quality,
    );
    axis.addEventListener("threshold", (event) => {
      this.#threshold = /** @type {CustomEvent<Threshold>} */ (event).detail;
      this.#judge(list);
      announce(this.sentence);
    });
    return axis;
  }

  /** @param {MatchList} list */
  #judge(list) {
    this.#heading.textContent = outcomeWords(this.#verdicts);
    list.judge(this.#verdicts);
    this.#photo.retone(this.#framed());
  }

  #framed() {
    return this.#faces.map((match) => {
      const tone = verdict(match, this.#threshold, this.#result.anchor_quality);
      const label = `${faceName(match.face)}: ${verdictWords(tone).toLowerCase()}, probability ${wholePercent(match.probability)}`;
      return { index: match.face.index, box: match.face.box, label, tone };
    });
  }

  /** @param {FaceFocus} focus */
  #showPhoto(focus) {
    load(this.#api, this.#photo, this.#previews.image, this.#result.image, "The second photo");
    this.#photo.frame(this.#framed(), focus);
  }
}

await addStyles(new URL("./verification-result.css", import.meta.url));
customElements.define("verification-result", VerificationResultView);

/**
 * @param {import("../api/api.js").Api} api
 * @param {FacePhoto} photo
 * @param {string | null} preview
 * @param {import("../api/types.js").Photo} stored
 * @param {string} alt
 */
async function load(api, photo, preview, stored, alt) {
  const size = { width: stored.width, height: stored.height };
  photo.show(preview ? [preview] : [], alt, size);
  const source = await api.source(stored.url).catch(() => null);
  photo.show(
    [preview, source].filter((each) => each !== null),
    alt,
    size,
  );
}
