// @ts-check
import { h } from "../dom.js";
import { icon } from "../icons.js";
import { addStyles } from "../styles.js";

const QUALITY = 0.92;

/** A live picture of the camera, and a shutter. */
export class CameraDialog extends HTMLElement {
  #video = h("video", { autoplay: true, playsinline: true, "aria-label": "What the camera sees" });
  #message = h("p", { class: "message", role: "status" }, "Waiting for the camera…");
  #shutter = h("button", { type: "button", class: "primary", disabled: true }, icon("camera"), "Take photo");
  #dialog = h("dialog", { "aria-labelledby": "camera-title" });
  /** @type {MediaStream | null} */
  #stream = null;
  /** @type {(photo: File | null) => void} */
  #done = () => {};

  /** @returns {Promise<File | null>} null when the user took none */
  static async photograph() {
    const dialog = new CameraDialog();
    document.body.append(dialog);
    const photo = await dialog.#open();
    dialog.remove();
    return photo;
  }

  connectedCallback() {
    this.#video.muted = true;
    const close = h("button", { type: "button" }, "Close");
    close.addEventListener("click", () => this.#dialog.close());
    this.#shutter.addEventListener("click", () => this.#take());
    const title = h("h2", { id: "camera-title" }, "Take a photo");
    const finder = h("div", { class: "finder" }, this.#video, this.#message);
    this.#dialog.append(title, finder, h("div", { class: "dialog-buttons" }, close, this.#shutter));
    this.#dialog.addEventListener("close", () => this.#finish(null));
    this.append(this.#dialog);
  }

  /** @returns {Promise<File | null>} */
  #open() {
    this.#dialog.showModal();
    this.#start();
    return new Promise((resolve) => {
      this.#done = resolve;
    });
  }

  async #start() {
    try {
      // Absent where the page is not served over HTTPS or from this computer.
      if (!navigator.mediaDevices) throw new DOMException("", "SecurityError");
      const stream = await navigator.mediaDevices.getUserMedia({
        video: { facingMode: "user", width: { ideal: 1920 } },
      });
      this.#stream = stream;
      if (!this.#dialog.open) return this.#finish(null);
      this.#video.srcObject = stream;
      await this.#video.play();
      this.#message.hidden = true;
      this.#shutter.disabled = false;
      this.#shutter.focus();
    } catch (error) {
      this.#message.textContent = refusal(error instanceof DOMException ? error.name : "");
    }
  }

  async #take() {
    const canvas = h("canvas", { width: this.#video.videoWidth, height: this.#video.videoHeight });
    canvas.getContext("2d")?.drawImage(this.#video, 0, 0);
    /** @type {Blob | null} */
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
    this.#finish(blob && new File([blob], "camera.jpg", { type: "image/jpeg" }));
  }

  /** @param {File | null} photo */
  #finish(photo) {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
    this.#done(photo);
    if (this.#dialog.open) this.#dialog.close();
  }
}

await addStyles(new URL("./camera-dialog.css", import.meta.url));
customElements.define("camera-dialog", CameraDialog);

/** @param {string} name of a DOMException */
function refusal(name) {
  if (name === "NotAllowedError")
    return "The browser was not allowed to use the camera. Its settings for this page can change that.";
  if (name === "NotFoundError") return "No camera was found.";
  if (name === "NotReadableError") return "The camera is in use by another program.";
  if (name === "SecurityError") return "The camera works only over HTTPS, or on the computer that runs facekit.";
  return "The camera could not be started.";
}
