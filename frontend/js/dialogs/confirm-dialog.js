// @ts-check
import { h } from "../dom.js";

/** A question before something that cannot be undone. */
export class ConfirmDialog extends HTMLElement {
  /**
   * @param {{title: string, text: string, confirm: string}} words
   * @returns {Promise<boolean>}
   */
  static ask({ title, text, confirm }) {
    const host = new ConfirmDialog();
    const keep = h("button", { type: "submit", value: "keep", autofocus: true }, "Keep");
    const go = h("button", { type: "submit", value: "go", class: "danger" }, confirm);
    const form = h(
      "form",
      { method: "dialog" },
      h("h2", { id: "confirm-title" }, title),
      h("p", {}, text),
      h("div", { class: "dialog-buttons" }, keep, go),
    );
    const dialog = h("dialog", { "aria-labelledby": "confirm-title" }, form);
    host.append(dialog);
    document.body.append(host);
    dialog.showModal();
    return new Promise((resolve) => {
      dialog.addEventListener("close", () => {
        host.remove();
        resolve(dialog.returnValue === "go");
      });
    });
  }
}

customElements.define("confirm-dialog", ConfirmDialog);
