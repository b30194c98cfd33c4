import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { BASE, FACE, PHOTO_2MP, assertAccessible, onPage, resultTitle } from "./browser.js";

const picker = (page) => page.locator("detect-view input[type=file]");

/** The processes of the stack under test, as its launcher records them. */
function children() {
  return JSON.parse(readFileSync(`${process.env.FACEKIT_PAGE_HOME}/stack.json`, "utf8")).children;
}

test("a killed worker delays a job and does not lose it", () =>
  onPage(async (page) => {
    const { detector } = children();
    process.kill(detector, "SIGKILL");
    await picker(page).setInputFiles(FACE);
    await page
      .getByText(/Waiting for a free worker|Finding faces/)
      .first()
      .waitFor();
    await resultTitle(page).waitFor({ timeout: 60_000 });
    assert.equal(await resultTitle(page).textContent(), "1 face found");
    assert.notEqual(children().detector, detector);
  }));

test("a job can be cancelled, and is shown as cancelled", () =>
  onPage(async (page) => {
    const { detector } = children();
    process.kill(detector, "SIGSTOP");
    try {
      await picker(page).setInputFiles(FACE);
      await page
        .getByText(/Waiting for a free worker|Finding faces/)
        .first()
        .waitFor();
      await assertAccessible(page);
      await page.getByRole("button", { name: "Cancel" }).click();
      await page.getByRole("heading", { name: "Cancelled" }).waitFor();
    } finally {
      process.kill(detector, "SIGCONT");
    }
    await page.getByRole("button", { name: "Try again" }).click();
    await resultTitle(page).waitFor();
  }));

test("while the server is away the page says so and keeps trying", () =>
  onPage(
    async (page) => {
      await page.route("**/v1/**", (route) => route.abort("connectionrefused"));
      await picker(page).setInputFiles(FACE);
      await page.getByText("The server does not answer.", { exact: true }).waitFor();
      assert.match(await page.locator("#announcements").textContent(), /keep trying/);
      await assertAccessible(page);
      await page.route("**/healthz", (route) => route.abort("connectionrefused"));
      await page.unroute("**/v1/**");
      await resultTitle(page).waitFor();
      assert.ok(await page.locator("server-notice").isHidden());
    },
    { expected: [0] },
  ));

test("an upload whose answer was lost is sent again and makes one job", () =>
  onPage(
    async (page) => {
      const jobs = async () => (await (await fetch(`${BASE}/v1/jobs?limit=100`)).json()).jobs.map(({ id }) => id);
      const before = await jobs();
      let lost = 0;
      await page.route("**/v1/detections", async (route) => {
        if (lost++ > 0) return route.continue();
        await route.fetch();
        return route.abort("connectionreset");
      });
      await picker(page).setInputFiles(FACE);
      await resultTitle(page).waitFor();
      assert.equal(lost, 2);
      assert.equal((await jobs()).filter((id) => !before.includes(id)).length, 1);
    },
    { expected: [0] },
  ));

test("an API key is asked for once and then used for photos too", () =>
  onPage(
    async (page) => {
      const refused = {
        status: 401,
        contentType: "application/problem+json",
        body: JSON.stringify({ code: "unauthorized", status: 401, title: "", detail: "" }),
      };
      const keys = new Set();
      await page.route("**/v1/**", (route) => {
        const key = route.request().headers()["x-api-key"];
        if (key) keys.add(key);
        return key === "a-very-secret-key" ? route.continue() : route.fulfill(refused);
      });
      await picker(page).setInputFiles(FACE);
      await page.getByRole("textbox", { name: "Key" }).fill("wrong");
      await page.getByRole("button", { name: "Use key" }).click();
      await page.getByText("The server refused that key.").waitFor();
      await assertAccessible(page);
      await page.getByRole("textbox", { name: "Key" }).fill("a-very-secret-key");
      await page.keyboard.press("Enter");
      await resultTitle(page).waitFor();
      await page.waitForFunction(() => document.querySelector("face-detail img")?.naturalWidth > 0);
      assert.deepEqual([...keys], ["wrong", "a-very-secret-key"]);
    },
    { expected: [401] },
  ));

for (const width of [360, 820]) {
  test(`at ${width} pixels nothing is wider than the screen, in the dark and without motion`, () =>
    onPage(
      async (page) => {
        const wider = () =>
          page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        assert.ok((await wider()) <= 0);
        await page.getByLabel("Age").check();
        await picker(page).setInputFiles(PHOTO_2MP);
        await resultTitle(page).waitFor();
        assert.ok((await wider()) <= 0);
        await assertAccessible(page);
        for (const view of ["verify", "history", "models"]) {
          await page.goto(`${page.url().split("#")[0]}#/${view}`);
          await page.locator(`${view}-view h1`).waitFor();
          assert.ok((await wider()) <= 0, view);
        }
      },
      { options: { viewport: { width, height: 800 }, colorScheme: "dark", reducedMotion: "reduce" } },
    ));
}

test("the keyboard alone goes from the address bar to a result", () =>
  onPage(async (page) => {
    const focused = () => page.evaluate(() => document.activeElement.textContent.trim() || document.activeElement.name);
    // Asked for at once: Playwright must have taken over the browser's dialog by the time a key opens it.
    const chooser = page.waitForEvent("filechooser");
    await page.keyboard.press("Tab");
    assert.equal(await focused(), "Skip to content");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.id), "main");
    await page.keyboard.press("Tab");
    assert.equal(await focused(), "age");
    await page.keyboard.press("Space");
    assert.ok(await page.getByLabel("Age").isChecked());
    while ((await focused()) !== "Choose photos") await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await (await chooser).setFiles(FACE);
    await resultTitle(page).waitFor();
    assert.equal(await focused(), "Choose photos");
  }));
