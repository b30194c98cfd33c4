// @ts-check

const FIRST_S = 0.5;
const LONGEST_S = 5;

/**
 * Seconds to wait before try number `attempt` + 1: doubles from half a second up to five.
 * @param {number} attempt counts from 0
 */
export function backoffS(attempt) {
  return Math.min(FIRST_S * 2 ** attempt, LONGEST_S);
}

/**
 * Resolves after `seconds`; rejects with the signal's reason when it aborts.
 * @param {number} seconds
 * @param {AbortSignal} [signal]
 * @returns {Promise<void>}
 */
export function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, seconds * 1000);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
