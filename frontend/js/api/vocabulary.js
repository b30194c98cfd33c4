// @ts-check
/** The words for what the API names by a code. They are the server's; only what the page itself can meet is here. */

import { labelWords } from "../words.js";

/** @typedef {import("./types.js").Vocabulary} Words */
/** @typedef {{code: string, detail: string, title?: string, advice?: string, about_photo?: boolean}} Fault */

/** @type {Record<string, {title: string, advice: string}>} */
const OF_THE_PAGE = {
  cancelled: { title: "Cancelled", advice: "You stopped this before it was done." },
  upload_interrupted: {
    title: "The upload was cut off",
    advice: "The file may have changed on disk, or be far too large. Choose it again.",
  },
  page_error: { title: "The page made a mistake", advice: "Reload it and try again." },
};

/** @type {Words} */
const NOTHING = { kinds: {}, stages: {}, tasks: {}, problems: {} };

/** Asked for when the first view wants words, so that neither the first paint nor a server that is away matters to it. */
export class Vocabulary {
  #words = NOTHING;
  /** @type {() => Promise<Words>} */
  #ask = async () => NOTHING;
  #asking = false;
  /** @type {(() => void)[]} */
  #waiting = [];

  /**
   * Says where the words come from.
   * @param {() => Promise<Words>} ask
   */
  from(ask) {
    this.#ask = ask;
  }

  /**
   * Calls `show` now, and where the words are not there yet once more when they are.
   * @param {() => void} show
   */
  told(show) {
    show();
    if (this.#words !== NOTHING) return;
    this.#waiting.push(show);
    this.#load();
  }

  /**
   * What happened, and what to do about it. What an answer says of itself goes before what its code means in general.
   * @param {Fault} fault
   */
  problem({ code, title, advice }) {
    const known = this.#words.problems[code] ?? OF_THE_PAGE[code];
    return {
      title: title || known?.title || "Something went wrong",
      advice: advice || known?.advice || (title ? "" : `The server calls it “${code}”.`),
    };
  }

  /**
   * Whether only another photo can help, and trying again cannot.
   * @param {Fault} fault
   */
  needsAnotherPhoto({ code, about_photo }) {
    return about_photo ?? this.#words.problems[code]?.about_photo ?? false;
  }

  /**
   * @param {string} name
   * @returns {import("./types.js").StageWords}
   */
  stage(name) {
    return this.#words.stages[name] ?? { label: labelWords(name), doing: labelWords(name), noun: name };
  }

  /** @param {string} name */
  kind(name) {
    return this.#words.kinds[name]?.title ?? labelWords(name);
  }

  get kinds() {
    return Object.keys(this.#words.kinds);
  }

  /**
   * What a model does, null where that is not known.
   * @param {string} task
   */
  task(task) {
    return this.#words.tasks[task] ?? null;
  }

  async #load() {
    if (this.#asking) return;
    this.#asking = true;
    try {
      this.#words = await this.#ask();
      for (const show of this.#waiting.splice(0)) show();
    } catch {
      // Codes stand for their words until somebody asks again.
    } finally {
      this.#asking = false;
    }
  }
}

export const vocabulary = new Vocabulary();
