// @ts-check
import { routeOf } from "./routes.js";

/** @typedef {import("../api/api.js").Api} Api */
/** @typedef {import("./routes.js").Route} Route */

/** @type {Record<Route["view"], string>} */
const TITLES = { detect: "Detect", verify: "Verify", history: "History", models: "Models", job: "Job" };

/**
 * Shows the view that the address names. Detect and Verify keep what they hold, the others are made anew; each is loaded
 * when it is first wanted.
 */
export class AppShell extends HTMLElement {
  #api;
  /** @type {Map<Route["view"], HTMLElement>} */
  #kept = new Map();
  #turn = 0;

  /** @param {Api} api */
  constructor(api) {
    super();
    this.#api = api;
  }

  connectedCallback() {
    window.addEventListener("hashchange", () => this.#go());
    // A photo dropped beside its place would replace the page.
    for (const name of ["dragover", "drop"]) window.addEventListener(name, (event) => event.preventDefault());
    this.#go();
  }

  async #go() {
    const turn = ++this.#turn;
    const route = routeOf(location.hash);
    mark(route);
    const view = this.#kept.get(route.view) ?? (await this.#make(route));
    // The user may have moved on while it was loaded.
    if (turn !== this.#turn) return;
    if (route.view === "detect" || route.view === "verify") this.#kept.set(route.view, view);
    const kept = [...this.#kept.values()];
    for (const child of [...this.children]) if (!kept.includes(/** @type {HTMLElement} */ (child))) child.remove();
    for (const each of kept) each.hidden = each !== view;
    if (!view.isConnected) this.append(view);
    window.scrollTo(0, 0);
    // At the start the focus is where the browser puts it; later it follows the view.
    if (turn > 1) view.querySelector("h1")?.focus();
  }

  /**
   * @param {Route} route
   * @returns {Promise<HTMLElement>}
   */
  async #make({ view, id }) {
    switch (view) {
      case "detect":
        return new (await import("../detect/detect-view.js")).DetectView(this.#api);
      case "verify":
        return new (await import("../verify/verify-view.js")).VerifyView(this.#api);
      case "history":
        return new (await import("../history/history-view.js")).HistoryView(this.#api);
      case "models":
        return new (await import("../models/models-view.js")).ModelsView(this.#api);
      case "job":
        return new (await import("../history/job-view.js")).JobView(this.#api, id ?? "");
    }
  }
}

customElements.define("app-shell", AppShell);

/** @param {Route} route */
function mark({ view }) {
  document.title = `${TITLES[view]} · facekit`;
  for (const link of document.querySelectorAll(".site-nav a")) {
    const current = routeOf(link.getAttribute("href") ?? "").view === (view === "job" ? "history" : view);
    if (current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}
