// @ts-check
/** The little Markdown that model cards use, as a tree of plain data. Pure functions; what they do not know stays text. */

/** @typedef {{kind: "text" | "strong" | "code", text: string}} Span */
/**
 * @typedef {{kind: "heading", level: number, spans: Span[]}
 *   | {kind: "paragraph", spans: Span[]}
 *   | {kind: "list", items: Span[][]}
 *   | {kind: "table", rows: Span[][][]}
 *   | {kind: "pre", text: string}} Block
 */

const SPAN = /\*\*([^*]+)\*\*|`([^`]+)`|\[([^\]]+)\]\(([^)\s]+)\)/g;
const RULE = /^\|?[\s:|-]+\|[\s:|-]*$/;

/**
 * @param {string} source
 * @returns {Block[]}
 */
export function parseMarkdown(source) {
  const lines = source.replaceAll("\r", "").split("\n");
  /** @type {Block[]} */
  const blocks = [];
  let at = 0;
  /** @param {(line: string) => boolean} belongs */
  const take = (belongs) => {
    const start = at;
    while (at < lines.length && belongs(lines[at] ?? "")) at++;
    return lines.slice(start, at);
  };
  while (at < lines.length) {
    const line = lines[at] ?? "";
    const heading = /^(#{1,4})\s+(.*)$/.exec(line);
    if (line.trim() === "") at++;
    else if (heading) {
      blocks.push({ kind: "heading", level: heading[1]?.length ?? 1, spans: parseSpans(heading[2] ?? "") });
      at++;
    } else if (line.startsWith("```")) {
      at++;
      blocks.push({ kind: "pre", text: take((each) => !each.startsWith("```")).join("\n") });
      at++;
    } else if (line.startsWith("|")) {
      const rows = take((each) => each.startsWith("|")).filter((row) => !RULE.test(row));
      blocks.push({ kind: "table", rows: rows.map(cells) });
    } else if (isItem(line)) {
      const items = joinItems(take((each) => isItem(each) || /^\s+\S/.test(each)));
      blocks.push({ kind: "list", items: items.map(parseSpans) });
    } else {
      blocks.push({
        kind: "paragraph",
        spans: parseSpans(take((each) => each.trim() !== "" && !startsBlock(each)).join(" ")),
      });
    }
  }
  return blocks;
}

/**
 * @param {string} text
 * @returns {Span[]}
 */
export function parseSpans(text) {
  /** @type {Span[]} */
  const spans = [];
  let end = 0;
  for (const match of text.matchAll(SPAN)) {
    if (match.index > end) spans.push({ kind: "text", text: text.slice(end, match.index) });
    const [whole, strong, code, words, address] = match;
    if (strong) spans.push({ kind: "strong", text: strong });
    else if (code) spans.push({ kind: "code", text: code });
    else spans.push({ kind: "text", text: `${words} (${address})` });
    end = match.index + whole.length;
  }
  if (end < text.length) spans.push({ kind: "text", text: text.slice(end) });
  return spans;
}

/** @param {string} line */
function isItem(line) {
  return /^\s*([-*]|\d+\.)\s+/.test(line);
}

/** @param {string} line */
function startsBlock(line) {
  return isItem(line) || /^(#{1,4}\s|```|\|)/.test(line);
}

/** @param {string} row */
function cells(row) {
  return row
    .replace(/^\||\|\s*$/g, "")
    .split("|")
    .map((cell) => parseSpans(cell.trim()));
}

/** Lines that go on with the item above become part of it. @param {string[]} lines */
function joinItems(lines) {
  /** @type {string[]} */
  const items = [];
  for (const line of lines) {
    if (isItem(line)) items.push(line.replace(/^\s*([-*]|\d+\.)\s+/, ""));
    else items.push(`${items.pop() ?? ""} ${line.trim()}`.trim());
  }
  return items;
}
