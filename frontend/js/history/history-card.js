// @ts-check
import { vocabulary } from "../api/vocabulary.js";
import { h } from "../dom.js";
import { icon } from "../icons.js";
import { showPicture } from "../photo/show-picture.js";
import { jobAddress } from "../shell/routes.js";
import { ago } from "../words.js";
import { outcomeOf, thumbnailsOf } from "./job-words.js";

/** One job of the past. Event: `remove`. */
export class HistoryCard extends HTMLElement {
  #api;
  job;

  /**
   * @param {import("../api/api.js").Api} api
   * @param {import("../api/types.js").JobView} job
   */
  constructor(api, job) {
    super();
    this.#api = api;
    this.job = job;
  }

  connectedCallback() {
    if (this.firstChild) return;
    const { job } = this;
    this.dataset.status = job.status;
    const pictures = thumbnailsOf(job).map(({ url, focus }) => {
      const image = h("img", { alt: "", loading: "lazy", decoding: "async" });
      image.style.objectPosition = `${focus.x}% ${focus.y}%`;
      showPicture(this.#api, image, url);
      return image;
    });
    const when = h(
      "time",
      { datetime: job.created_at, title: new Date(job.created_at).toLocaleString("en") },
      ago(job.created_at),
    );
    const open = h("a", { href: jobAddress(job.id), class: "open" }, outcomeOf(job));
    const mark = job.status === "failed" ? icon("alert") : null;
    const kind = h("span");
    vocabulary.told(() => (kind.textContent = vocabulary.kind(job.kind)));
    const words = h(
      "div",
      { class: "words" },
      h("p", { class: "outcome" }, mark, open),
      h("p", { class: "when" }, kind, " · ", when),
    );
    const remove = h(
      "button",
      { type: "button", class: "quiet only-icon", "aria-label": `Delete: ${outcomeOf(job)}, ${ago(job.created_at)}` },
      icon("trash"),
    );
    remove.addEventListener("click", () => this.dispatchEvent(new Event("remove")));
    this.append(h("div", { class: "pictures" }, ...pictures), words, remove);
  }
}

customElements.define("history-card", HistoryCard);
