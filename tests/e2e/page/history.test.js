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
