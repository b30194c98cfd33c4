// @ts-check
import { announce } from "../announce.js";
import { Problem } from "../api/problem.js";
import { vocabulary } from "../api/vocabulary.js";
import { h } from "../dom.js";
import { addStyles } from "../styles.js";
import { counted, labelWords } from "../words.js";
import { byWeight, figureRows } from "./figures.js";
import { cardText } from "./model-card-text.js";

/** @typedef {import("../api/types.js").ModelView} Model */

/** Which models answer right now, with their figures and cards. */
export class ModelsView extends HTMLElement {
  #api;
  #gone = new AbortController();
  #list = h("div", { class: "models" });
  #message = h("p", { class: "message" }, "Loading…");

  /** @param {import("../api/api.js").Api} api */
  constructor(api) {
    super();
    this.#api = api;
  }

  connectedCallback() {
    const lede = h(
      "p",
      { class: "lede" },
      "The versions that answer right now. Every result names the ones it came from.",
    );
    this.append(h("header", {}, h("h1", { tabindex: -1 }, "Models"), lede), this.#message, this.#list);
    this.#load();
  }

  disconnectedCallback() {
    this.#gone.abort();
  }

  async #load() {
    const { signal } = this.#gone;
    try {
      const { models } = await this.#api.models({ signal });
      this.#list.replaceChildren(...models.map(modelSheet));
      this.#message.textContent =
        models.length > 0 ? "" : "No model answers yet. Workers appear here as soon as they have started.";
      announce(models.length > 0 ? `${counted(models.length, "model")} answering.` : (this.#message.textContent ?? ""));
    } catch (error) {
      if (signal.aborted) return;
      const { title, advice } = vocabulary.problem(Problem.from(error));
      this.#message.textContent = `${title}. ${advice}`;
    }
  }
}

await addStyles(new URL("./models-view.css", import.meta.url));
customElements.define("models-view", ModelsView);

/** @param {Model} model */
function modelSheet(model) {
  const title = h("h2", {}, labelWords(model.task));
  const version = h("p", { class: "version" }, `${model.name}@${model.version}`);
  const does = h("p", { class: "does" });
  vocabulary.told(() => (does.textContent = vocabulary.task(model.task) ?? labelWords(model.stage)));
  const head = h(
    "div",
    { class: "model-head" },
    title,
    does,
    version,
    h("p", { class: "workers" }, `${counted(model.workers, "worker")} answering`),
  );
  const { headlines, others } = byWeight(figureRows(model.metrics));
  const figures = facing(headlines);
  figures.classList.add("figures");
  const facts = facing([
    ["Trained on", model.trained_on],
    ["Licence", model.licence],
    ["SHA-256", model.sha256?.slice(0, 16) ?? "not a bundle of ours"],
  ]);
  const more =
    others.length > 0 && h("details", {}, h("summary", {}, "All figures"), facing([...headlines, ...others]));
  const card = h("details", {}, h("summary", {}, "Model card"), cardText(model.card));
  return h(
    "section",
    { class: "model" },
    head,
    h("div", { class: "model-body" }, figures, facts, h("div", { class: "more" }, more, card)),
  );
}

/** @param {[string, string][]} rows */
function facing(rows) {
  return h(
    "dl",
    { class: "facing" },
    ...rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
  );
}
