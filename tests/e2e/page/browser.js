/** Chromium driving the page: one browser a test file, a fresh profile a test, and what no test may see. */

import assert from "node:assert/strict";
import { after, before } from "node:test";
import { AxeBuilder } from "./axe.js";
import { chromium } from "playwright-core";

export const BASE = process.env.FACEKIT_PAGE_URL ?? "http://127.0.0.1:8080";
export const FACE = process.env.FACEKIT_PAGE_FACE ?? "";
export const CROWD = process.env.FACEKIT_PAGE_CROWD ?? "";
export const HEIC = process.env.FACEKIT_PAGE_HEIC ?? "";
export const PHOTO_2MP = process.env.FACEKIT_PAGE_PHOTO_2MP ?? "";

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--use-fake-device-for-media-stream",
  "--use-fake-ui-for-media-stream",
];

/** @type {import("playwright-core").Browser} */
let browser;

before(async () => {
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ARGUMENTS });
});

after(() => browser.close());

/**
 * Opens the page, runs a flow on it, and then holds it to what every flow owes: no error in the console, no request to
 * another origin. Answers that a flow provokes are expected by their status.
 * @param {(page: import("playwright-core").Page, watch: {requests: string[]}) => Promise<void>} flow
 * @param {{address?: string, expected?: number[], options?: import("playwright-core").BrowserContextOptions}} [how]
 */
export async function onPage(flow, { address = "/", expected = [], options = {} } = {}) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    permissions: ["camera"],
    ...options,
  });
  const page = await context.newPage();
  const errors = [];
  const requests = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    const provoked = expected.some((status) =>
      message.text().includes(status === 0 ? "net::ERR" : `status of ${status}`),
    );
    if (message.type() === "error" && !provoked) errors.push(message.text());
  });
  page.on("request", (request) => requests.push(request.url()));
  try {
    await page.goto(`${BASE}${address}`);
    await page.locator("h1:visible").waitFor();
    await flow(page, { requests });
    assert.deepEqual(errors, []);
    const elsewhere = requests.filter((url) => !url.startsWith(`${BASE}/`) && !/^(blob|data):/.test(url));
    assert.deepEqual(elsewhere, []);
  } catch (error) {
    if (process.env.FACEKIT_PAGE_FAILURES)
      await page.screenshot({ path: `${process.env.FACEKIT_PAGE_FAILURES}/${Date.now()}.png`, fullPage: true });
    throw error;
  } finally {
    await context.close();
  }
}

/**
 * No serious or critical violation of axe-core's rules.
 * @param {import("playwright-core").Page} page
 */
export async function assertAccessible(page) {
  // Colours in the middle of a transition are nobody's contrast.
  await page.evaluate(() =>
    Promise.all(
      document
        .getAnimations()
        .filter((each) => each.effect?.getTiming().iterations !== Infinity)
        .map((each) => each.finished.catch(() => {})),
    ),
  );
  const violations = await new AxeBuilder(page).violations();
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  assert.deepEqual(
    serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`),
    [],
  );
}

/**
 * Drops files on an element as the system's file manager would.
 * @param {import("playwright-core").Page} page
 * @param {string} selector
 * @param {{name: string, type: string, bytes: Buffer}[]} files
 */
export async function drop(page, selector, files) {
  const plain = files.map(({ name, type, bytes }) => ({ name, type, base64: bytes.toString("base64") }));
  const transfer = await page.evaluateHandle((given) => {
    const data = new DataTransfer();
    for (const { name, type, base64 } of given) {
      data.items.add(new File([Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))], name, { type }));
    }
    return data;
  }, plain);
  for (const event of ["dragenter", "dragover", "drop"])
    await page.dispatchEvent(selector, event, { dataTransfer: transfer });
}

/** The heading of the result in sight. */
export function resultTitle(page) {
  return page.locator(".result-title:visible");
}

/**
 * A PNG that shows nothing.
 * @param {import("playwright-core").Page} page
 */
export async function blankPhoto(page) {
  const base64 = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(640, 480);
    const context = canvas.getContext("2d");
    context.fillStyle = "#7a8b8f";
    context.fillRect(0, 0, 640, 480);
    const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: "image/png" })).arrayBuffer());
    return btoa(String.fromCharCode(...bytes));
  });
  return Buffer.from(base64, "base64");
}
