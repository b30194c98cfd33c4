// @ts-check
import { h } from "../dom.js";
import { parseMarkdown } from "./markdown.js";

/** @typedef {import("./markdown.js").Span} Span */
/** @typedef {import("./markdown.js").Block} Block */

/**
 * A model's card as elements; its text goes in as text.
 * @param {string} markdown
 */
export function cardText(markdown) {
  return h("div", { class: "card-text" }, ...parseMarkdown(markdown).map(blockOf));
}

/** @param {Block} block */
function blockOf(block) {
  switch (block.kind) {
    case "heading":
      return h(block.level <= 2 ? "h3" : "h4", {}, ...block.spans.map(spanOf));
    case "paragraph":
      return h("p", {}, ...block.spans.map(spanOf));
    case "list":
      return h("ul", {}, ...block.items.map((item) => h("li", {}, ...item.map(spanOf))));
    case "pre":
      return h("pre", { tabindex: 0 }, block.text);
    case "table":
      return table(block.rows);
  }
}

/** @param {Span[][][]} rows */
function table([head = [], ...body]) {
  const titles = h("tr", {}, ...head.map((cell) => h("th", { scope: "col" }, ...cell.map(spanOf))));
  const rows = body.map((row) => h("tr", {}, ...row.map((cell) => h("td", {}, ...cell.map(spanOf)))));
  return h("div", { class: "table", tabindex: 0 }, h("table", {}, h("thead", {}, titles), h("tbody", {}, ...rows)));
}

/** @param {Span} span */
function spanOf({ kind, text }) {
  if (kind === "strong") return h("strong", {}, text);
  return kind === "code" ? h("code", {}, text) : text;
}
