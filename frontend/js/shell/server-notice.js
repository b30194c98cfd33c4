// @ts-check
import { announce } from "../announce.js";
import { h } from "../dom.js";

/** Says that the server does not answer, for as long as it does not. */
export class ServerNotice extends HTMLElement {
  #api;

  /** @param {import("../api/api.js").Api} api */
  constructor(api) {
    super();
    this.#api = api;
  }

  connectedCallback() {
    this.hidden = this.#api.reachable;
    this.append(h("p", {}, h("b", {}, "The server does not answer."), " We keep trying; nothing you sent is lost."));
    this.#api.addEventListener("reachable", () => {
      this.hidden = this.#api.reachable;
      announce(this.#api.reachable ? "The server answers again." : "The server does not answer. We keep trying.");
    });
  }
}

customElements.define("server-notice", ServerNotice);
