// @ts-check
import { h } from "../dom.js";

/** Asks for an API key, which this browser tab then keeps until it is closed. */
export class KeyDialog extends HTMLElement {
  /**
   * @param {boolean} refused whether the server has just refused a key
   * @returns {Promise<string | null>} null when the user gave none
   */
  static ask(refused) {
    const host = new KeyDialog();
    const key = h("input", {
      type: "password",
      id: "api-key",
      required: true,
      autocomplete: "off",
      autofocus: true,
      spellcheck: "false",
    });
    const text = refused
      ? "The server refused that key. Try another."
      : "This server answers only with a key. It is kept in this tab until you close it.";
    const cancel = h("button", { type: "button" }, "Not now");
    const buttons = h(
      "div",
      { class: "dialog-buttons" },
      cancel,
      h("button", { type: "submit", class: "primary" }, "Use key"),
    );
    const form = h(
      "form",
      { method: "dialog" },
      h("h2", { id: "key-title" }, "API key"),
      h("p", { id: "key-text" }, text),
      h("label", { for: "api-key" }, "Key"),
      key,
      buttons,
    );
    const dialog = h("dialog", { "aria-labelledby": "key-title", "aria-describedby": "key-text" }, form);
    let given = false;
    form.addEventListener("submit", () => {
      given = true;
    });
    cancel.addEventListener("click", () => dialog.close());
    host.append(dialog);
    document.body.append(host);
    dialog.showModal();
    return new Promise((resolve) => {
      dialog.addEventListener("close", () => {
        host.remove();
        resolve(given ? key.value.trim() : null);
      });
    });
  }
}

customElements.define("key-dialog", KeyDialog);
