// @ts-check
import { h, setVars } from "../dom.js";
import { labelWords, ranked, wholePercent } from "../words.js";

/** A distribution over labels as bars, likeliest first. */
export class ScoreBars extends HTMLElement {
  #scores;

  /** @param {import("../api/types.js").Scores} scores */
  constructor(scores) {
    super();
    this.#scores = scores;
  }

  connectedCallback() {
    if (this.firstChild) return;
    const rows = ranked(this.#scores.scores).map(([label, share], rank) => {
      const bar = h("span", { class: "bar" });
      setVars(bar, { share });
      const name = h("span", { class: "name" }, labelWords(label));
      const figure = h("span", { class: "figure" }, wholePercent(share));
      return h("li", { "data-first": rank === 0 }, name, bar, figure);
    });
    this.append(h("ul", { role: "list" }, ...rows));
  }
}

customElements.define("score-bars", ScoreBars);
