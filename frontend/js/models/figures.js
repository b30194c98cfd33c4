// @ts-check
import { capital } from "../words.js";

/** Measures that are known by their letters. */
const LETTERS = /\b(ap|auc|far|frr|mae|eer|tar|iou)\b/gi;

/**
 * The figures of a nested record as rows of name and value: {a: {b_c: 0.5}} is "A, b c" with "0.5".
 * @param {Record<string, any>} record
 * @param {string[]} [path]
 * @returns {[string, string][]}
 */
export function figureRows(record, path = []) {
  return Object.entries(record).flatMap(([key, value]) => {
    const here = [...path, key.replaceAll("_", " ")];
    if (value !== null && typeof value === "object" && !Array.isArray(value)) return figureRows(value, here);
    const text = figureWords(value);
    return text === null
      ? []
      : [
          /** @type {[string, string]} */ ([
            capital(here.join(", ").replace(LETTERS, (letters) => letters.toUpperCase())),
            text,
          ]),
        ];
  });
}

/**
 * @param {unknown} value
 * @returns {string | null} null for what is no figure for people
 */
function figureWords(value) {
  if (typeof value === "number")
    return Number.isInteger(value) ? value.toLocaleString("en") : String(Number(value.toPrecision(4)));
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return value ? "yes" : "no";
  return null;
}

/** What a model is judged by. */
const TELLING = /(average precision(, \w+)?|mean absolute error( years)?|\bAP|\bAUC|\bEER|accuracy|\bMAE|\bF1)$/i;
const HEADLINES = 4;
const NUMBER = /^-?[\d.,]+(e-?\d+)?$/;

/**
 * The few figures that say most, and all the others.
 * @param {readonly [string, string][]} rows
 * @returns {{headlines: [string, string][], others: [string, string][]}}
 */
export function byWeight(rows) {
  const numbers = rows.filter(([, text]) => NUMBER.test(text));
  const telling = numbers.filter(([name]) => TELLING.test(name));
  const headlines = (telling.length > 0 ? telling : numbers).slice(0, HEADLINES);
  return { headlines, others: rows.filter((row) => !headlines.includes(row)) };
}
