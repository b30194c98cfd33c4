// @ts-check
/** How figures, dates and labels read. Pure functions. */

/**
 * A share as a percentage with as many decimals as it needs: 97%, 0.3%, 99.6%.
 * @param {number} share 0 to 1
 */
export function percent(share) {
  const value = share * 100;
  if (value === 0 || value === 100) return `${value}%`;
  const distanceToEnd = Math.min(Math.abs(value), Math.abs(100 - value));
  const digits = distanceToEnd >= 9.95 ? 0 : distanceToEnd >= 0.95 ? 1 : distanceToEnd >= 0.095 ? 2 : 3;
  const text = value.toFixed(digits);
  return `${digits > 0 ? text.replace(/\.?0+$/, "") : text}%`;
}

/**
 * A score as a whole percentage; what is nearly nothing or nearly all does not claim to be it.
 * @param {number} share 0 to 1
 */
export function wholePercent(share) {
  const value = Math.round(share * 100);
  if (value === 100 && share < 1) return ">99%";
  if (value === 0 && share > 0) return "<1%";
  return `${value}%`;
}

/**
 * @param {import("./api/types.js").AgeEstimate} age
 */
export function ageWords({ value, spread }) {
  return `${Math.round(value)} ± ${Math.max(1, Math.round(spread))} years`;
}

/**
 * "latino_hispanic" as "Latino hispanic".
 * @param {string} label
 */
export function labelWords(label) {
  const text = label.replaceAll("_", " ").trim();
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/**
 * Labels, likeliest first.
 * @param {Record<string, number>} scores
 * @returns {[string, number][]}
 */
export function ranked(scores) {
  return Object.entries(scores).sort(([, left], [, right]) => right - left);
}

/**
 * @param {number} count
 * @param {string} one
 * @param {string} [many]
 */
export function counted(count, one, many = `${one}s`) {
  return `${count} ${count === 1 ? one : many}`;
}

/**
 * @param {number} ms
 */
export function duration(ms) {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

/**
 * "just now", "5 minutes ago", then the date.
 * @param {string} iso
 * @param {number} [nowMs]
 */
export function ago(iso, nowMs = Date.now()) {
  const minutes = Math.floor((nowMs - Date.parse(iso)) / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${counted(minutes, "minute")} ago`;
  if (minutes < 24 * 60) return `${counted(Math.floor(minutes / 60), "hour")} ago`;
  return new Date(iso).toLocaleDateString("en", { day: "numeric", month: "short", year: "numeric" });
}

/**
 * "Age, gender and emotion".
 * @param {readonly string[]} words
 */
export function listed(words) {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

/**
 * @param {string} sentence
 */
export function capital(sentence) {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}
