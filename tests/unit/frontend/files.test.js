import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { parseMarkdown, parseSpans } from "../../../frontend/js/models/markdown.js";
import { nextIndex } from "../../../frontend/js/roving.js";

const PAGE = fileURLToPath(new URL("../../../frontend/", import.meta.url));
const BUDGET_BYTES = 150_000;

/** Every file of the page under a folder. */
function filesOf(folder) {
  return readdirSync(folder, { recursive: true })
    .map((name) => join(folder, name))
    .filter((name) => statSync(name).isFile());
}

/** A module with all it imports when it is loaded. */
function withImports(module, found = new Set()) {
  if (found.has(module)) return found;
  found.add(module);
  for (const [, path] of readFileSync(module, "utf8").matchAll(/^import .*?"(\.[^"]+)";$/gm))
    withImports(join(dirname(module), path), found);
  return found;
}

test("model cards become blocks, and markup in them stays text", () => {
  const blocks = parseMarkdown(
    "# Card\n\nFinds **faces** with `onnx`,\nfast. <img src=x onerror=alert(1)>\n\n- one\n  more\n- two\n\n| set | AP |\n|---|--:|\n| easy | 0.9 |\n\n```\na | b\n```\n",
  );
  assert.deepEqual(
    blocks.map(({ kind }) => kind),
    ["heading", "paragraph", "list", "table", "pre"],
  );
  assert.equal(blocks[1].spans.at(-1).text, ", fast. <img src=x onerror=alert(1)>");
  assert.deepEqual(blocks[2].items[0], [{ kind: "text", text: "one more" }]);
  assert.equal(blocks[3].rows.length, 2);
  assert.deepEqual(parseSpans("see [the paper](https://example.org/x)"), [
    { kind: "text", text: "see " },
    { kind: "text", text: "the paper (https://example.org/x)" },
  ]);
});

test("any text is a card: the parser always ends", () => {
  for (const text of ["", "|", "```", "-", "#", "####### x", "1. a\n\n\n", "| a\ntext", "  indented"])
    assert.ok(Array.isArray(parseMarkdown(text)));
});

test("arrow keys go round, Home and End to the ends", () => {
  assert.deepEqual(
    [
      ["ArrowRight", 2],
      ["ArrowLeft", 0],
      ["Home", 2],
      ["End", 0],
      ["Tab", 1],
    ].map(([key, at]) => nextIndex(key, at, 3)),
    [0, 2, 0, 2, null],
  );
});

test("the first view and everything it loads weigh at most 150 KB, uncompressed", () => {
  const modules = new Set([
    ...withImports(join(PAGE, "js/main.js")),
    ...withImports(join(PAGE, "js/detect/detect-view.js")),
  ]);
  const html = readFileSync(join(PAGE, "index.html"), "utf8");
  const styles = [...html.matchAll(/href="([^"]+\.css)"/g)].map(([, path]) => join(PAGE, path));
  const preloaded = [...html.matchAll(/modulepreload" href="([^"]+)"/g)].map(([, path]) => join(PAGE, path));
  assert.deepEqual([...modules].filter((name) => !name.endsWith("main.js")).sort(), preloaded.sort());
  const all = [...modules, ...styles, join(PAGE, "index.html"), join(PAGE, "favicon.svg")];
  const total = all.reduce((sum, name) => sum + statSync(name).size, 0);
  assert.ok(total <= BUDGET_BYTES, `${total} bytes`);
});

test("every style sheet is linked, or brought by the module beside it, and every module named in index.html is there", () => {
  const html = readFileSync(join(PAGE, "index.html"), "utf8");
  const linked = [...html.matchAll(/(?:href|src)="([^"#]+\.(?:css|js|svg))"/g)].map(([, path]) => path);
  const styles = filesOf(PAGE)
    .filter((name) => name.endsWith(".css"))
    .map((name) => relative(PAGE, name));
  const broughtBy = (name) =>
    readFileSync(join(PAGE, name.replace(/css$/, "js")), "utf8").includes(`"./${basename(name)}"`);
  assert.deepEqual(
    styles.filter((name) => !linked.includes(name) && !broughtBy(name)),
    [],
  );
  assert.deepEqual(
    linked.filter((path) => !existsSync(join(PAGE, path))),
    [],
  );
});

test("a strict policy holds: nothing inline, one module that fetches, no markup from text, no other host", () => {
  const html = readFileSync(join(PAGE, "index.html"), "utf8");
  assert.doesNotMatch(html, /<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/);
  for (const name of filesOf(join(PAGE, "js")).filter((each) => each.endsWith(".js"))) {
    const source = readFileSync(name, "utf8");
    assert.doesNotMatch(source, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/, name);
    assert.doesNotMatch(source, /XMLHttpRequest|sendBeacon|WebSocket/, name);
    if (!name.endsWith("api/api.js")) assert.doesNotMatch(source, /\bfetch\(/, name);
    assert.deepEqual(
      [...source.matchAll(/https?:\/\/[^"'\s]+/g)]
        .map(([address]) => address)
        .filter((address) => address !== "http://www.w3.org/2000/svg"),
      [],
      name,
    );
    assert.match(source, /^\/\/ @ts-check/, name);
  }
});
