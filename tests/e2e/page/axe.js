/** axe-core run in the page: evaluated by the browser's debugger, which the page's strict policy does not bind. */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export class AxeBuilder {
  /** @param {import("playwright-core").Page} page */
  constructor(page) {
    this.page = page;
  }

  /** @returns {Promise<{id: string, impact: string, nodes: {target: string[]}[]}[]>} */
  async violations() {
    await this.page.evaluate(source);
    const results = await this.page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
    return results.violations;
  }
}
