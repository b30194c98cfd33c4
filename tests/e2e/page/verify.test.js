import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { FACE, PHOTO_2MP, assertAccessible, blankPhoto, drop, onPage, resultTitle } from "./browser.js";

const slot = (page, name) => page.getByRole("group", { name, exact: true }).locator("input[type=file]");

test("the person is found on the second photo, and the threshold decides again without a request", () =>
  onPage(
    async (page, { requests }) => {
      await assertAccessible(page);
      await slot(page, "Anchor").setInputFiles(FACE);
      await slot(page, "Second photo").setInputFiles(PHOTO_2MP);
      await resultTitle(page).waitFor();
      const first = page.locator("match-list li").first();
      assert.match(await first.textContent(), /Match.*probability .*%.*similarity/);
      assert.equal(
        await page.locator("match-list li").count(),
        await page.locator("verification-result figure:not(.anchor) .box").count(),
      );
      await assertAccessible(page);

      assert.equal(requests.filter((url) => url.endsWith("/v1/verifications")).length, 1);
      await page.waitForLoadState("networkidle");
      const before = requests.length;
      const slider = page.getByRole("slider");
      await slider.focus();
      await slider.press("End");
      await page.locator("match-list li", { hasText: "No match" }).first().waitFor();
      const strict = await slider.getAttribute("aria-valuetext");
      assert.match(strict, /false accepts [\d.]+%, false rejects [\d.]+%/);
      await slider.press("Home");
      await page.getByRole("heading", { name: "3 of 3 faces match" }).waitFor();
      assert.notEqual(await slider.getAttribute("aria-valuetext"), strict);
      await page.getByRole("button", { name: "Back to the server’s" }).click();
      assert.equal(requests.length, before);
    },
    { address: "/#/verify" },
  ));

test("several faces on the anchor are said, and an anchor without a face fails in plain words", () =>
  onPage(
    async (page) => {
      const crowd = { name: "crowd.jpg", type: "image/jpeg", bytes: readFileSync(PHOTO_2MP) };
      const face = { name: "face.jpg", type: "image/jpeg", bytes: readFileSync(FACE) };
      await drop(page, "photo-slot:nth-child(1) photo-intake", [crowd]);
      await drop(page, "photo-slot:nth-child(2) photo-intake", [face]);
      await page.getByText("The anchor photo shows several faces").waitFor();
      await drop(page, "photo-slot:nth-child(1)", [
        { name: "empty.png", type: "image/png", bytes: await blankPhoto(page) },
      ]);
      await page.getByRole("heading", { name: "No face in the anchor photo" }).waitFor();
      await assertAccessible(page);
    },
    { address: "/#/verify" },
  ));
