// @ts-check
import { announce } from "../announce.js";
import { Problem } from "../api/problem.js";
import { vocabulary } from "../api/vocabulary.js";
import { ConfirmDialog } from "../dialogs/confirm-dialog.js";
import { h } from "../dom.js";
import { icon } from "../icons.js";
import { addStyles } from "../styles.js";
import { counted } from "../words.js";
import { HistoryCard } from "./history-card.js";

const STATUSES = [
  ["", "Any outcome"],
  ["succeeded", "Succeeded"],
  ["failed", "Failed"],
  ["cancelled", "Cancelled"],
  ["running", "Under way"],
  ["queued", "Waiting"],
];
const PAGE = 24;
const DELETE_PAGE = 100;

/** Past jobs, newest first. */
export class HistoryView extends HTMLElement {
  #api;
  #gone = new AbortController();
  #loading = new AbortController();
  /** @type {string | null} */
  #cursor = null;
  #kind = choice("Kind", [["", "All kinds"]]);
  #status = choice("Outcome", STATUSES);
  #list = h("ul", { class: "jobs", role: "list", "aria-label": "Jobs" });
  #more = h("button", { type: "button", hidden: true }, "Show more");
  #message = h("p", { class: "message" });
  #deleteAll = h("button", { type: "button", class: "quiet" }, icon("trash"), "Delete all");

  /** @param {import("../api/api.js").Api} api */
  constructor(api) {
    super();
    this.#api = api;
  }

  connectedCallback() {
    const lede = h("p", { class: "lede" }, "What was asked here before. Deleting a job deletes its photos.");
    const bar = h("div", { class: "filters" }, this.#kind, this.#status, this.#deleteAll);
    this.append(
      h("header", {}, h("h1", { tabindex: -1 }, "History"), lede),
      bar,
      this.#list,
      this.#message,
      this.#more,
    );
    for (const select of [this.#kind, this.#status]) select.addEventListener("change", () => this.#load());
    this.#more.addEventListener("click", () => this.#showMore());
    this.#deleteAll.addEventListener("click", () => this.#removeAll());
    vocabulary.told(() =>
      this.#kind.append(...vocabulary.kinds.map((kind) => h("option", { value: kind }, vocabulary.kind(kind)))),
    );
    this.#load();
  }

  disconnectedCallback() {
    this.#gone.abort();
    this.#loading.abort();
  }

  get #filter() {
    return { kind: this.#kind.value, status: this.#status.value };
  }

  async #load() {
    this.#cursor = null;
    this.#list.replaceChildren();
    this.#message.textContent = "Loading…";
    await this.#append();
  }

  async #showMore() {
    const shown = this.#list.children.length;
    await this.#append();
    this.#list.children[shown]?.querySelector("a")?.focus();
  }

  async #append() {
    this.#loading.abort();
    this.#loading = new AbortController();
    const { signal } = this.#loading;
    try {
      const page = await this.#api.jobs({ ...this.#filter, limit: PAGE, cursor: this.#cursor }, { signal });
      this.#cursor = page.next_cursor;
      this.#list.append(...page.jobs.map((job) => this.#item(job)));
      this.#settle();
    } catch (error) {
      if (signal.aborted) return;
      const { title, advice } = vocabulary.problem(Problem.from(error));
      this.#message.textContent = `${title}. ${advice}`;
    }
  }

  /** @param {import("../api/types.js").JobView} job */
  #item(job) {
    const card = new HistoryCard(this.#api, job);
    const item = h("li", {}, card);
    card.addEventListener("remove", () => this.#remove(card, item));
    return item;
  }

  #settle() {
    const count = this.#list.children.length;
    const filtered = this.#filter.kind !== "" || this.#filter.status !== "";
    this.#more.hidden = this.#cursor === null;
    this.#deleteAll.hidden = count === 0;
    this.#message.textContent =
      count > 0
        ? ""
        : filtered
          ? "No job fits this filter."
          : "Nothing here yet. Jobs appear as soon as you send a photo.";
    announce(count > 0 ? `${counted(count, "job")} shown.` : (this.#message.textContent ?? ""));
  }

  /**
   * @param {HistoryCard} card
   * @param {HTMLElement} item
   */
  async #remove(card, item) {
    const sure = await ConfirmDialog.ask({
      title: "Delete this job?",
      text: "Its photos and faces go with it. This cannot be undone.",
      confirm: "Delete",
    });
    if (!sure || !(await this.#removeOnServer(card.job.id))) return;
    const neighbour = item.nextElementSibling ?? item.previousElementSibling;
    item.remove();
    this.#settle();
    announce("Deleted.");
    /** @type {HTMLElement | null} */ (neighbour?.querySelector("a") ?? this.querySelector("h1"))?.focus();
  }

  async #removeAll() {
    const filtered = this.#filter.kind !== "" || this.#filter.status !== "";
    const title = filtered ? "Delete all jobs of this filter?" : "Delete all jobs?";
    const sure = await ConfirmDialog.ask({
      title,
      text: "All their photos and faces go with them. This cannot be undone.",
      confirm: "Delete all",
    });
    if (!sure) return;
    this.#deleteAll.disabled = true;
    let deleted = 0;
    try {
      for (;;) {
        const { jobs } = await this.#api.jobs({ ...this.#filter, limit: DELETE_PAGE }, { signal: this.#gone.signal });
        if (jobs.length === 0) break;
        const before = deleted;
        for (const job of jobs) {
          if (await this.#removeOnServer(job.id)) deleted++;
          this.#message.textContent = `Deleting… ${deleted} so far`;
        }
        if (deleted === before) break;
      }
      announce(`${counted(deleted, "job")} deleted.`);
    } finally {
      this.#deleteAll.disabled = false;
      if (this.isConnected) {
        await this.#load();
        /** @type {HTMLElement | null} */ (this.querySelector("h1"))?.focus();
      }
    }
  }

  /**
   * @param {string} id
   * @returns {Promise<boolean>} whether it is gone
   */
  async #removeOnServer(id) {
    try {
      await this.#api.remove(id, { signal: this.#gone.signal });
      return true;
    } catch (error) {
      const problem = Problem.from(error);
      if (problem.code === "no_such_job") return true;
      if (!this.#gone.signal.aborted) this.#message.textContent = vocabulary.problem(problem).title;
      return false;
    }
  }
}

await addStyles(new URL("./history-view.css", import.meta.url));
customElements.define("history-view", HistoryView);

/**
 * @param {string} label
 * @param {string[][]} options
 */
function choice(label, options) {
  return h("select", { "aria-label": label }, ...options.map(([value, words = ""]) => h("option", { value }, words)));
}
