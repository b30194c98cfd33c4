// @ts-check
import { Api } from "./api/api.js";
import { vocabulary } from "./api/vocabulary.js";
import { AppShell } from "./shell/app-shell.js";
import { ServerNotice } from "./shell/server-notice.js";

const api = new Api();
api.askForKey = async (/** @type {boolean} */ refused) => {
  const { KeyDialog } = await import("./dialogs/key-dialog.js");
  return KeyDialog.ask(refused);
};
vocabulary.from(() => api.vocabulary());
const main = /** @type {HTMLElement} */ (document.querySelector("main"));
main.before(new ServerNotice(api));
main.replaceChildren(new AppShell(api));
// The address names the view, so this link moves the focus by hand.
document.querySelector(".skip")?.addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
