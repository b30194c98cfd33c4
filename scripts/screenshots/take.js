/** node take.js URL FOLDER: photographs the page at work; FOLDER holds the photos and receives detect, verify, history.png. */

import { createRequire } from "node:module";

const { chromium } = createRequire(new URL("../../tests/e2e/page/package.json", import.meta.url))("playwright-core");
const [url, folder] = process.argv.slice(2);
const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ARGUMENTS });

/**
 * @param {string} name
 * @param {"light" | "dark"} colorScheme
 * @param {(page: import("playwright-core").Page) => Promise<void>} flow
 */
async function photograph(name, colorScheme, flow) {
  const context = await browser.newContext({
    viewport: { width: 1360, height: 760 },
    deviceScaleFactor: 1.5,
    colorScheme,
  });
  const page = await context.newPage();
  await page.goto(url);
  await flow(page);
  await page.waitForLoadState("networkidle");
  await page.evaluate(() => Promise.all(document.getAnimations().map((each) => each.finished)));
  await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
  await context.close();
}

await photograph("detect", "light", async (page) => {
  for (const attribute of ["Age", "Gender", "Ethnicity", "Emotion"]) await page.getByLabel(attribute).check();
  await page.locator("detect-view input[type=file]").setInputFiles(`${folder}/face.jpg`);
  await page.locator(".result-title").waitFor();
});
await photograph("verify", "dark", async (page) => {
  await page.getByRole("link", { name: "Verify" }).click();
  await page.getByRole("group", { name: "Anchor", exact: true }).locator("input").setInputFiles(`${folder}/face.jpg`);
  await page
    .getByRole("group", { name: "Second photo", exact: true })
    .locator("input")
    .setInputFiles(`${folder}/group.jpg`);
  await page.locator(".result-title").waitFor();
});
await photograph("history", "light", async (page) => {
  await page.locator("detect-view input[type=file]").setInputFiles([`${folder}/group.jpg`, `${folder}/cup.jpg`]);
  await page.locator('picture-tray [data-state="done"]').nth(1).waitFor();
  await page.getByRole("link", { name: "Verify" }).click();
  await page.getByRole("group", { name: "Anchor", exact: true }).locator("input").setInputFiles(`${folder}/cup.jpg`);
  await page
    .getByRole("group", { name: "Second photo", exact: true })
    .locator("input")
    .setInputFiles(`${folder}/face.jpg`);
  await page.locator("verify-view").locator("job-problem, .result-title").waitFor();
  await page.getByRole("link", { name: "History" }).click();
  await page.locator("history-card").nth(2).waitFor();
});
await browser.close();
