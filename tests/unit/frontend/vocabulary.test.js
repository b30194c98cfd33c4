import assert from "node:assert/strict";
import { test } from "node:test";
import { Vocabulary, vocabulary } from "../../../frontend/js/api/vocabulary.js";
import { stepsOf } from "../../../frontend/js/jobs/stages.js";

/** What a server says that has a stage and a kind which no file of the page names. */
const WORDS = {
  kinds: { measurement: { title: "Measure", summary: "", path: "/v1/measurements", photos: ["image"], stages: [] } },
  stages: { measurer: { label: "Take the measure", doing: "Measuring", noun: "measuring" } },
  tasks: { ruler: "Measures photos" },
  problems: {
    too_long: { title: "This is too long", advice: "Cut it.", status: 422, retryable: false, about_photo: true },
  },
};
const tick = () => new Promise((resolve) => setTimeout(resolve));

/** A vocabulary whose server answers in turn; an Error is one that does not. */
function vocabularyWith(...answers) {
  const asked = [];
  const words = new Vocabulary();
  words.from(async () => {
    asked.push(1);
    const next = answers.shift();
    if (next instanceof Error) throw next;
    return next;
  });
  return { words, asked };
}

test("a kind and a stage that the page has never heard of have the server's words", async () => {
  vocabulary.from(async () => WORDS);
  vocabulary.told(() => {});
  await tick();
  const job = { kind: "measurement", status: "running", steps: ["measurer"], stage: "measurer", progress: 0 };
  assert.deepEqual(stepsOf(job).at(-1), {
    name: "measurer",
    label: "Take the measure",
    doing: "Measuring",
    state: "now",
  });
  assert.deepEqual(vocabulary.kinds.map((kind) => vocabulary.kind(kind)), ["Measure"]);
  assert.equal(vocabulary.stage("measurer").noun, "measuring");
  assert.equal(vocabulary.task("ruler"), "Measures photos");
});

test("words are asked for when they are first wanted, once, and shown again when they are there", async () => {
  const { words, asked } = vocabularyWith(WORDS);
  await tick();
  assert.equal(asked.length, 0);
  const shown = [];
  words.told(() => shown.push(words.kind("measurement")));
  words.told(() => shown.push(words.stage("measurer").label));
  assert.deepEqual(shown, ["Measurement", "Measurer"]);
  await tick();
  assert.deepEqual(shown.slice(2), ["Measure", "Take the measure"]);
  words.told(() => shown.push("again"));
  assert.deepEqual([asked.length, shown.length], [1, 5]);
});

test("a server that does not have the words yet is asked again by the next view", async () => {
  const { words, asked } = vocabularyWith(new Error("404"), WORDS);
  const shown = [];
  words.told(() => shown.push(words.kind("measurement")));
  await tick();
  words.told(() => {});
  await tick();
  assert.deepEqual([asked.length, shown], [2, ["Measurement", "Measure"]]);
});

test("a problem reads as the server puts it, else by its code, else plainly", async () => {
  const { words } = vocabularyWith(WORDS);
  words.told(() => {});
  await tick();
  const own = { code: "too_long", detail: "", title: "Far too long", advice: "Halve it.", about_photo: false };
  assert.deepEqual(words.problem(own), { title: "Far too long", advice: "Halve it." });
  assert.equal(words.needsAnotherPhoto(own), false);
  assert.deepEqual(words.problem({ code: "too_long", detail: "" }), { title: "This is too long", advice: "Cut it." });
  assert.equal(words.needsAnotherPhoto({ code: "too_long", detail: "" }), true);
  assert.equal(words.problem({ code: "cancelled", detail: "" }).title, "Cancelled");
  assert.deepEqual(words.problem({ code: "odd", detail: "", title: "Odd" }), { title: "Odd", advice: "" });
  const plain = words.problem({ code: "brand_new", detail: "" });
  assert.equal(plain.title, "Something went wrong");
  assert.match(plain.advice, /brand_new/);
});
