// @ts-check

/** Lets at most `places` pieces of work run at the same time; the others wait in order. */
export class Semaphore {
  #free;
  /** @type {(() => void)[]} */
  #waiting = [];

  /** @param {number} places */
  constructor(places) {
    this.#free = places;
  }

  /**
   * @template Result
   * @param {() => Promise<Result>} work
   * @returns {Promise<Result>}
   */
  async run(work) {
    if (this.#free === 0) await new Promise((resolve) => this.#waiting.push(() => resolve(null)));
    else this.#free--;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}
