import assert from "node:assert/strict";
import { test } from "node:test";
import { outcomeOf, thumbnailsOf } from "../../../frontend/js/history/job-words.js";
import { byWeight, figureRows } from "../../../frontend/js/models/figures.js";
import { routeOf } from "../../../frontend/js/shell/routes.js";
import {
  ago,
  ageWords,
  counted,
  duration,
  labelWords,
  listed,
  percent,
  ranked,
  wholePercent,
} from "../../../frontend/js/words.js";

test("shares read with the decimals they need", () => {
  assert.deepEqual([0, 0.5, 0.0123, 0.003, 0.00042, 0.996, 1].map(percent), [
    "0%",
    "50%",
    "1.2%",
    "0.3%",
    "0.042%",
    "99.6%",
    "100%",
  ]);
  assert.deepEqual([0, 0.001, 0.974, 0.9999, 1].map(wholePercent), ["0%", "<1%", "97%", ">99%", "100%"]);
});

test("figures and labels read as words", () => {
  assert.equal(ageWords({ value: 31.4, spread: 6.2 }), "31 ± 6 years");
  assert.equal(labelWords("latino_hispanic"), "Latino hispanic");
  assert.deepEqual(
    ranked({ sad: 0.1, happy: 0.7, angry: 0.2 }).map(([label]) => label),
    ["happy", "angry", "sad"],
  );
  assert.equal(counted(1, "face"), "1 face");
  assert.equal(counted(30, "face"), "30 faces");
  assert.equal(listed(["age", "gender", "emotion"]), "age, gender and emotion");
  assert.deepEqual([38.4, 1490, 61_000].map(duration), ["38 ms", "1.5 s", "1 min 1 s"]);
});

test("times are told from now, and older ones by their date", () => {
  const now = Date.parse("2026-11-23T22:00:00Z");
  assert.equal(ago("2026-11-23T21:59:40Z", now), "just now");
  assert.equal(ago("2026-11-23T21:59:00Z", now), "1 minute ago");
  assert.equal(ago("2026-11-23T19:30:00Z", now), "2 hours ago");
  assert.equal(ago("2026-11-20T12:00:00Z", now), "Nov 20, 2026");
});

test("addresses name views, and what they do not name is Detect", () => {
  const id = "01920000-0000-7000-8000-000000000000";
  assert.deepEqual(routeOf("#/verify"), { view: "verify", id: null });
  assert.deepEqual(routeOf(`#/jobs/${id}`), { view: "job", id });
  assert.equal(routeOf("").view, "detect");
  assert.equal(routeOf("#/jobs/../../etc").view, "detect");
});

const job = (fields) => ({ id: "7", kind: "detection", status: "succeeded", error: null, result: null, ...fields });

test("history says what came of a job", () => {
  assert.equal(outcomeOf(job({ result: { faces: [{}, {}] } })), "2 faces");
  const error = { code: "worker_lost", title: "The work was interrupted too often", detail: "", advice: "Try again." };
  assert.equal(outcomeOf(job({ status: "failed", error })), error.title);
  assert.equal(outcomeOf(job({ kind: "measurement", result: { size: 3 } })), "Done");
  assert.equal(
    outcomeOf(job({ kind: "verification", result: { matches: [{}], unmatched: [{}, {}] } })),
    "1 of 3 faces matching",
  );
  assert.equal(outcomeOf(job({ status: "cancelled" })), "Cancelled");
});

test("thumbnails show the face, and exist for failed jobs too", () => {
  const photo = { width: 200, height: 100, url: "/v1/jobs/7/images/preview" };
  const [thumbnail] = thumbnailsOf(
    job({ result: { image: photo, faces: [{ box: { x: 120, y: 40, width: 20, height: 20 } }] } }),
  );
  assert.deepEqual(thumbnail, { url: "/v1/jobs/7/images/thumbnail", focus: { x: 65, y: 50 } });
  const failed = thumbnailsOf(job({ kind: "verification", status: "failed" })).map(({ url }) => url);
  assert.deepEqual(failed, ["/v1/jobs/7/images/anchor-thumbnail", "/v1/jobs/7/images/thumbnail"]);
});

test("a model's figures are rows, however deep they lie", () => {
  assert.deepEqual(figureRows({ wider_val: { easy_ap: 0.91234, faces: 2473 }, note: "150 photos", curve: [1, 2] }), [
    ["Wider val, easy AP", "0.9123"],
    ["Wider val, faces", "2,473"],
    ["Note", "150 photos"],
  ]);
  const rows = [
    ["Photos", "150"],
    ["Average precision, easy", "0.91"],
    ["Held out, accuracy", "0.93"],
    ["Accuracy se", "0.01"],
    ["Split", "held-out"],
  ];
  const { headlines, others } = byWeight(rows);
  assert.deepEqual(headlines, [rows[1], rows[2]]);
  assert.deepEqual(others, [rows[0], rows[3], rows[4]]);
  assert.deepEqual(
    byWeight([
      ["Split", "x"],
      ["Photos", "150"],
    ]).headlines,
    [["Photos", "150"]],
  );
});
