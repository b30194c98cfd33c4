// @ts-check

/**
 * State that says when it changes. States are replaced, never altered in place.
 * @template {object} State
 */
export class Store extends EventTarget {
  /** @type {State} */
  #state;

  /** @param {State} state */
  constructor(state) {
    super();
    this.#state = state;
  }

  get state() {
    return this.#state;
  }

  /** @param {Partial<State>} patch */
  update(patch) {
    this.#state = { ...this.#state, ...patch };
    this.dispatchEvent(new Event("change"));
  }

  /**
   * Calls `listener` now and after each change, until `signal` aborts.
   * @param {(state: State) => void} listener
   * @param {AbortSignal} [signal]
   */
  watch(listener, signal) {
    this.addEventListener("change", () => listener(this.#state), { signal });
    listener(this.#state);
  }
}
