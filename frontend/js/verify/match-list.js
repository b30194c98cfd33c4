// @ts-check
import { h, setVars } from "../dom.js";
import { faceName } from "../faces/face-words.js";
import { icon } from "../icons.js";
import { showPicture } from "../photo/show-picture.js";
import { makeStop, rove } from "../roving.js";
import { addStyles } from "../styles.js";
import { wholePercent } from "../words.js";
import { poorReason, verdictWords } from "./verdict-words.js";

/** @typedef {import("../api/types.js").Match} Match */
/** @typedef {import("./decision.js").Verdict} Verdict */
/** @typedef {import("../faces/face-focus.js").FaceFocus} FaceFocus */

/** @type {Record<Verdict, import("../icons.js").IconName>} */
const MARKS = { match: "check", other: "cross", poor: "question" };

/** Every face of the second photo with what the threshold makes of it. */
export class MatchList extends HTMLElement {
  #matches;
  #focus;
  /** @type {HTMLButtonElement[]} */
  #rows;

  /**
   * @param {import("../api/api.js").Api} api
   * @param {readonly Match[]} matches likeliest first
   * @param {FaceFocus} focus
   */
  constructor(api, matches, focus) {
    super();
    this.#matches = matches;
    this.#focus = focus;
    this.#rows = matches.map((match) => this.#rowOf(api, match));
  }

  connectedCallback() {
    if (this.firstChild) return;
    const list = h(
      "ul",
      { role: "list", "aria-label": "Faces of the second photo" },
      ...this.#rows.map((row) => h("li", {}, row)),
    );
    list.addEventListener("pointerleave", () => this.#focus.hover(null));
    rove(list, "button");
    this.append(list);
    this.#focus.watch(() => this.#light());
  }

  /** @param {readonly Verdict[]} verdicts in the order of the matches */
  judge(verdicts) {
    this.#rows.forEach((row, place) => {
      const verdict = verdicts[place] ?? "poor";
      if (row.dataset.tone === verdict) return;
      const match = this.#matches[place];
      const reason = verdict === "poor" && match ? poorReason(match) : "";
      row.dataset.tone = verdict;
      const words = reason ? `${verdictWords(verdict)}: ${reason}` : verdictWords(verdict);
      row.querySelector(".verdict")?.replaceChildren(icon(MARKS[verdict]), h("span", {}, words));
    });
  }

  /**
   * @param {import("../api/api.js").Api} api
   * @param {Match} match
   */
  #rowOf(api, { face, similarity, probability }) {
    const image = h("img", { alt: "" });
    showPicture(api, image, face.crop_url);
    const bar = h("span", { class: "bar" });
    setVars(bar, { share: probability });
    const figures = h(
      "span",
      { class: "figures" },
      `probability ${wholePercent(probability)}`,
      h("span", {}, `similarity ${similarity.toFixed(2)}`),
    );
    const words = h("span", { class: "row-words" }, h("span", { class: "verdict" }), bar, figures);
    const name = h("span", { class: "visually-hidden" }, `${faceName(face)}: `);
    const button = h(
      "button",
      { type: "button", "data-index": face.index },
      image,
      h("span", { class: "number", "aria-hidden": "true" }, String(face.index + 1)),
      name,
      words,
    );
    button.addEventListener("pointerenter", () => this.#focus.hover(face.index));
    button.addEventListener("focus", () => this.#focus.hover(face.index));
    button.addEventListener("blur", () => this.#focus.hover(null));
    button.addEventListener("click", () => this.#focus.select(face.index));
    return button;
  }

  #light() {
    const { active, state } = this.#focus;
    for (const row of this.#rows) {
      row.toggleAttribute("data-active", Number(row.dataset.index) === active);
      row.setAttribute("aria-pressed", String(Number(row.dataset.index) === state.selected));
    }
    makeStop(
      this.#rows,
      Math.max(
        0,
        this.#rows.findIndex((row) => Number(row.dataset.index) === state.selected),
      ),
    );
  }
}

await addStyles(new URL("./match-list.css", import.meta.url));
customElements.define("match-list", MatchList);
