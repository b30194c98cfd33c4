// @ts-check
import { Problem } from "../api/problem.js";
import { announce } from "../announce.js";
import { vocabulary } from "../api/vocabulary.js";
import { h } from "../dom.js";
import { saveFaces, saveJson, savePicture } from "../downloads.js";
import { icon } from "../icons.js";

/**
 * The downloads of a result: its faces, the photo with frames drawn on it, and the job as JSON.
 * @param {import("../api/api.js").Api} api
 * @param {import("../api/types.js").JobView} job
 * @param {readonly import("../api/types.js").Face[]} faces
 * @param {string | null | undefined} annotatedUrl
 */
export function resultActions(api, job, faces, annotatedUrl) {
  const buttons = [];
  if (faces.length > 0) buttons.push(action("Faces", "Download all faces", () => saveFaces(api, job)));
  if (annotatedUrl) {
    buttons.push(
      action("Annotated", "Download the annotated photo", () => savePicture(api, job, annotatedUrl, "annotated")),
    );
  }
  buttons.push(action("JSON", "Download the result as JSON", async () => saveJson(job)));
  return h("div", { class: "result-actions", role: "group", "aria-label": "Downloads" }, ...buttons);
}

/**
 * @param {string} words
 * @param {string} label
 * @param {() => Promise<void>} run
 */
function action(words, label, run) {
  const button = h(
    "button",
    { type: "button", class: "quiet", "aria-label": label, title: label },
    icon("download"),
    words,
  );
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await run();
    } catch (error) {
      announce(vocabulary.problem(Problem.from(error)).title);
    } finally {
      button.disabled = false;
      button.focus();
    }
  });
  return button;
}
