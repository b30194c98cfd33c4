// @ts-check
/** The one module that calls `fetch`. */

import { backoffS, pause } from "./pause.js";
import { Problem } from "./problem.js";

/** @typedef {import("./types.js").JobView} Job */
/** @typedef {{signal?: AbortSignal, onWait?: (problem: Problem, seconds: number) => void}} Asking */

const KEY_SLOT = "facekit.api-key";
const KEPT_SOURCES = 200;
/** A request cut off this often by a server that is otherwise up is given up. */
const CUT_OFF_LIMIT = 3;

/**
 * facekit's HTTP API. Requests outlive an unreachable server: they are sent again until they are answered or aborted,
 * which submissions bear because each carries an Idempotency-Key. Events: `reachable` whenever that changes.
 */
export class Api extends EventTarget {
  #fetch;
  #storage;
  #pause;
  #reachable = true;
  /** @type {Promise<string | null> | null} */
  #asking = null;
  /** @type {Map<string, string>} */
  #sources = new Map();

  /** @type {(refused: boolean) => Promise<string | null>} how to ask the user for an API key; null means "no" */
  askForKey = async () => null;

  /**
   * @param {{fetch?: typeof fetch, storage?: Pick<Storage, "getItem" | "setItem">, pause?: typeof pause}} [parts]
   */
  constructor({
    fetch = globalThis.fetch.bind(globalThis),
    storage = globalThis.sessionStorage,
    pause: rest = pause,
  } = {}) {
    super();
    this.#fetch = fetch;
    this.#storage = storage;
    this.#pause = rest;
  }

  get reachable() {
    return this.#reachable;
  }

  get #key() {
    return this.#storage.getItem(KEY_SLOT);
  }

  /**
   * @param {File} image
   * @param {import("../detect/detect-options.js").DetectionOptions} options
   * @param {Asking} [asking]
   * @returns {Promise<Job>}
   */
  detect(image, { analyze, minConfidence, maxFaces }, asking) {
    const form = new FormData();
    form.append("image", image);
    if (analyze.length > 0) form.append("analyze", analyze.join(","));
    if (minConfidence !== null) form.append("min_confidence", String(minConfidence));
    if (maxFaces !== null) form.append("max_faces", String(maxFaces));
    return this.#submit("/v1/detections", form, asking);
  }

  /**
   * @param {File} anchor the face to look for
   * @param {File} image where to look
   * @param {Asking} [asking]
   * @returns {Promise<Job>}
   */
  verify(anchor, image, asking) {
    const form = new FormData();
    form.append("anchor", anchor);
    form.append("image", image);
    return this.#submit("/v1/verifications", form, asking);
  }

  /**
   * The job; with `waitS` the answer is held until the job changes, or for that long.
   * @param {string} id
   * @param {Asking & {waitS?: number}} [asking]
   * @returns {Promise<Job>}
   */
  job(id, { waitS = 0, ...asking } = {}) {
    const wait = waitS > 0 ? `?wait=${waitS}` : "";
    return this.#json(`/v1/jobs/${encodeURIComponent(id)}${wait}`, {}, asking);
  }

  /**
   * @param {{limit?: number, cursor?: string | null, kind?: string, status?: string}} query
   * @param {Asking} [asking]
   * @returns {Promise<import("./types.js").JobPage>}
   */
  jobs({ limit = 24, cursor, kind, status }, asking) {
    const query = new URLSearchParams({ limit: String(limit) });
    if (cursor) query.set("cursor", cursor);
    if (kind) query.set("kind", kind);
    if (status) query.set("status", status);
    return this.#json(`/v1/jobs?${query}`, {}, asking);
  }

  /**
   * @param {string} id
   * @param {Asking} [asking]
   * @returns {Promise<Job>}
   */
  cancel(id, asking) {
    return this.#json(`/v1/jobs/${encodeURIComponent(id)}/cancel`, { method: "POST" }, asking);
  }

  /**
   * The job and its photos are gone once this resolves.
   * @param {string} id
   * @param {Asking} [asking]
   */
  async remove(id, asking) {
    await this.#send(`/v1/jobs/${encodeURIComponent(id)}`, { method: "DELETE" }, asking);
  }

  /**
   * The faces of a job's result as pictures, in a ZIP archive.
   * @param {string} id
   * @param {Asking} [asking]
   * @returns {Promise<Blob>}
   */
  async faces(id, asking) {
    return (await this.#send(`/v1/jobs/${encodeURIComponent(id)}/faces.zip`, {}, asking)).blob();
  }

  /**
   * @param {Asking} [asking]
   * @returns {Promise<import("./types.js").Vocabulary>}
   */
  vocabulary(asking) {
    return this.#json("/v1/vocabulary", {}, asking);
  }

  /**
   * @param {Asking} [asking]
   * @returns {Promise<import("./types.js").ModelList>}
   */
  models(asking) {
    return this.#json("/v1/models", {}, asking);
  }

  /**
   * @param {string} url of a picture, as results name it
   * @param {Asking} [asking]
   * @returns {Promise<Blob>}
   */
  async picture(url, asking) {
    return (await this.#send(url, {}, asking)).blob();
  }

  /**
   * What an <img> can have as its src: the address itself, or where keys are in use, which an <img> cannot send,
   * the picture fetched.
   * @param {string} url
   * @param {Asking} [asking]
   * @returns {Promise<string>}
   */
  async source(url, asking) {
    if (!this.#key) return url;
    const kept = this.#sources.get(url);
    if (kept) return kept;
    const source = URL.createObjectURL(await this.picture(url, asking));
    this.#sources.set(url, source);
    const [oldest] = this.#sources.keys();
    if (this.#sources.size > KEPT_SOURCES && oldest) {
      URL.revokeObjectURL(this.#sources.get(oldest) ?? "");
      this.#sources.delete(oldest);
    }
    return source;
  }

  /**
   * @param {string} path
   * @param {FormData} body
   * @param {Asking} [asking]
   */
  #submit(path, body, asking) {
    const headers = { "Idempotency-Key": idempotencyKey() };
    return this.#json(path, { method: "POST", body, headers }, asking);
  }

  /**
   * @param {string} path
   * @param {RequestInit} init
   * @param {Asking} [asking]
   */
  async #json(path, init, asking) {
    return (
      await this.#send(path, { ...init, headers: { Accept: "application/json", ...init.headers } }, asking)
    ).json();
  }

  /**
   * @param {string} path
   * @param {RequestInit} init
   * @param {Asking} [asking]
   * @returns {Promise<Response>} one that is ok
   */
  async #send(path, init, { signal, onWait } = {}) {
    let cutOff = 0;
    for (let attempt = 0; ; attempt++) {
      const key = this.#key;
      const headers = { ...init.headers, ...(key ? { "X-API-Key": key } : {}) };
      const response = await this.#fetch(path, { ...init, headers, signal }).catch(() => null);
      signal?.throwIfAborted();
      if (response?.ok) {
        this.#setReachable(true);
        return response;
      }
      const problem = response ? await Problem.of(response) : null;
      const away = problem === null || problem.code === "unavailable";
      this.#setReachable(!away);
      if (problem?.code === "unauthorized" && (await this.#anotherKey(key))) continue;
      if (problem && !problem.retryable) throw problem;
      if (problem && !away) onWait?.(problem, problem.retryAfterS ?? backoffS(attempt));
      await this.#pause(problem?.retryAfterS ?? backoffS(attempt), signal);
      if (problem === null && init.body && (await this.#answers(signal)) && ++cutOff === CUT_OFF_LIMIT) {
        throw new Problem({ code: "upload_interrupted" });
      }
    }
  }

  /**
   * Whether the server is up, so that only this one request cannot get through.
   * @param {AbortSignal} [signal]
   */
  async #answers(signal) {
    const response = await this.#fetch("/healthz", { signal }).catch(() => null);
    return response?.ok ?? false;
  }

  /**
   * Asks the user once, however many requests were refused at the same time.
   * @param {string | null} refused the key that was sent
   * @returns {Promise<boolean>} whether there is another key to try
   */
  async #anotherKey(refused) {
    if (this.#key !== refused) return true;
    this.#asking ??= this.askForKey(refused !== null).finally(() => {
      this.#asking = null;
    });
    const key = await this.#asking;
    if (key) this.#storage.setItem(KEY_SLOT, key);
    return key !== null && key !== "";
  }

  /** @param {boolean} reachable */
  #setReachable(reachable) {
    if (reachable === this.#reachable) return;
    this.#reachable = reachable;
    this.dispatchEvent(new Event("reachable"));
  }
}

/** Sixteen random bytes in hex; `crypto.randomUUID` is missing where the page is served over plain HTTP. */
function idempotencyKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
