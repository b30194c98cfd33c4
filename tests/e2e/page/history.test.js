import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { BASE, FACE, assertAccessible, onPage, resultTitle } from "./browser.js";

/** Submits a photo past the page and waits for its job to end. */
async function detection() {
  const form = new FormData();
  form.append("image", new File([readFileSync(FACE)], "face.jpg", { type: "image/jpeg" }));
  const { id } = await (await fetch(`${BASE}/v1/detections`, { method: "POST", body: form })).json();
  for (;;) {
    const job = await (await fetch(`${BASE}/v1/jobs/${id}?wait=20`)).json();
    if (job.finished_at) return job;
  }
}

test("past jobs are listed, filtered, opened and deleted, one and all, photos too", async () => {
  const [one] = [await detection(), await detection()];
  await onPage(
    async (page) => {
      const cards = page.locator("history-card");
      await cards.first().waitFor();
      await assertAccessible(page);
      await page.getByLabel("Outcome").selectOption("cancelled");
      const settled = () =>
        document.querySelector("history-view .message").textContent !== "Loading…" &&
        !document.querySelector('history-card:not([data-status="cancelled"])');
      await page.waitForFunction(settled);
      await page.getByLabel("Outcome").selectOption("");
      await cards.first().waitFor();
      const link = cards.first().getByRole("link", { name: "1 face" });
      const opened = page.locator(`history-card a[href="${await link.getAttribute("href")}"]`);
      await link.click();
      await resultTitle(page).waitFor();
      assert.equal(await page.evaluate(() => document.activeElement.tagName), "H1");
      await assertAccessible(page);

      await page.getByRole("button", { name: "Delete", exact: true }).click();
      await assertAccessible(page);
      await page.getByRole("button", { name: "Delete", exact: true }).last().click();
      await cards.first().waitFor();
      assert.equal(await opened.count(), 0);
      const before = await cards.count();
      await page.getByRole("button", { name: "Delete all" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Keep" }).click();
      assert.equal(await cards.count(), before);
      await page.getByRole("button", { name: "Delete all" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Delete all" }).click();
      await page.locator(".message", { hasText: "Nothing here yet" }).waitFor();
      for (const address of [`/v1/jobs/${one.id}`, `/v1/jobs/${one.id}/images/original`])
        assert.equal((await fetch(BASE + address)).status, 404);
    },
    { address: "/#/history" },
  );
});

test("a job that is gone is said to be gone", () =>
  onPage(
    async (page) => {
      await page.getByRole("heading", { name: "This job is gone" }).waitFor();
      await assertAccessible(page);
    },
    { address: "/#/jobs/01920000-0000-7000-8000-000000000000", expected: [404] },
  ));

test("a job of a kind that the page has never heard of is followed in the server's words", () =>
  onPage(async (page) => {
    const id = "01920000-0000-7000-8000-00000000000a";
    const running = {
      id,
      kind: "measurement",
      status: "running",
      steps: ["detector", "measurer"],
      stage: "measurer",
      progress: 0.5,
      attempts: 1,
      created_at: "2026-11-23T21:00:00Z",
      models: {},
      timings_ms: {},
      error: null,
      result: null,
    };
    const ended = { ...running, status: "succeeded", stage: null, result: { size: 3 }, timings_ms: { measurer: 4 } };
    let end = () => {};
    const told = new Promise((resolve) => (end = resolve));
    await page.route("**/v1/vocabulary", async (route) => {
      const words = await (await route.fetch()).json();
      words.stages.measurer = { label: "Take the measure", doing: "Measuring", noun: "measuring" };
      await route.fulfill({ json: words });
    });
    await page.route(`**/v1/jobs/${id}*`, async (route) => {
      const waits = route.request().url().includes("wait=");
      if (waits) await told;
      await route.fulfill({ json: waits ? ended : running });
    });
    await page.goto(`${BASE}/#/jobs/${id}`);
    await page.getByText("Measuring…").waitFor();
    const steps = await page.locator(".steps li").allTextContents();
    assert.deepEqual(steps, ["Send", "Queue", "Find faces", "Take the measure"]);
    await assertAccessible(page);
    end();
    await resultTitle(page).waitFor();
    assert.match(await page.locator(".job-footer").textContent(), /measuring 4 ms/);
    assert.equal(await page.getByRole("button", { name: "Download the result as JSON" }).count(), 1);
    await assertAccessible(page);
  }));

test("the models that answer are shown with their figures and cards", () =>
  onPage(
    async (page) => {
      await page.locator(".model").first().waitFor();
      const { models } = await (await fetch(`${BASE}/v1/models`)).json();
      assert.equal(await page.locator(".model").count(), models.length);
      for (const { name, version } of models) assert.ok(await page.getByText(`${name}@${version}`).first().isVisible());
      await page.getByText("Model card").first().click();
      await assertAccessible(page);
    },
    { address: "/#/models" },
  ));
