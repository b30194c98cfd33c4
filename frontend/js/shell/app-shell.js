// @ts-check
import { routeOf } from "./routes.js";
import { VIEWS } from "./views.js";

/** @typedef {import("../api/api.js").Api} Api */
/** @typedef {import("./routes.js").Route} Route */

/**
 * Shows the view that the address names. Some keep what they hold, the others are made anew; each is loaded when it is
 * first wanted.
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
    const { kept: keeps, make } = viewOf(route);
    const view = this.#kept.get(route.view) ?? (await make(this.#api, route.id ?? ""));
    // The user may have moved on while it was loaded.
    if (turn !== this.#turn) return;
    if (keeps) this.#kept.set(route.view, view);
    const kept = [...this.#kept.values()];
    for (const child of [...this.children]) if (!kept.includes(/** @type {HTMLElement} */ (child))) child.remove();
    for (const each of kept) each.hidden = each !== view;
    if (!view.isConnected) this.append(view);
    window.scrollTo(0, 0);
    // At the start the focus is where the browser puts it; later it follows the view.
    if (turn > 1) view.querySelector("h1")?.focus();
  }
}

customElements.define("app-shell", AppShell);

/** @param {Route} route */
function viewOf({ view }) {
  return /** @type {import("./views.js").View} */ (VIEWS[view]);
}

/** @param {Route} route */
function mark(route) {
  const { title, under = route.view } = viewOf(route);
  document.title = `${title} · facekit`;
  for (const link of document.querySelectorAll(".site-nav a")) {
    const current = routeOf(link.getAttribute("href") ?? "").view === under;
    if (current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}
