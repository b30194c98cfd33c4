import assert from "node:assert/strict";
import { test } from "node:test";
import {
  anyFalseMatch,
  everyFace,
  measuredThresholds,
  nearestThreshold,
  placeInRange,
  similarityRange,
  verdict,
} from "../../../frontend/js/verify/decision.js";
import { noticeWords, outcomeWords, poorReason } from "../../../frontend/js/verify/verdict-words.js";

const match = (similarity, extra = {}) => ({ face: {}, similarity, probability: 0.5, match: true, ...extra });
const at = (value) => ({ value, far: 0.01, frr: 0.1 });

test("moving the threshold decides again without the server", () => {
  const face = match(0.5);
  assert.equal(verdict(face, at(0.43)), "match");
  assert.equal(verdict(face, at(0.5)), "match");
  assert.equal(verdict(face, at(0.51)), "other");
});

test("a face too poor to judge stays so at every threshold", () => {
  assert.equal(verdict(match(0.9, { match: null }), at(0)), "poor");
  assert.equal(verdict(match(0.9, { low_quality: true }), at(0)), "poor");
});

test("the page decides as services/verifier/judge.py does, on the figures that are shown", () => {
  const good = { low: false, reasons: [] };
  const poor = { low: true, reasons: ["too_dark"] };
  const turned = { low: false, reasons: ["turned_away"] };
  const cases = [
    [0.35, good, good, "match"],
    [0.3499, good, good, "other"],
    [0.9, poor, good, "poor"],
    [0.9, good, poor, "poor"],
    [0.1, turned, good, "poor"],
    [0.1, good, turned, "poor"],
    [0.9, turned, turned, "match"],
  ];
  for (const [similarity, quality, anchor, said] of cases)
    assert.equal(verdict(match(similarity, { quality }), at(0.35), anchor), said);
});

test("more faces make a false match likelier", () => {
  assert.equal(anyFalseMatch(0.009, 0), 0);
  assert.ok(Math.abs(anyFalseMatch(0.009, 22) - 0.18) < 0.005);
});

test("faces come likeliest first, whichever list the server put them in", () => {
  const result = { matches: [match(0.6)], unmatched: [match(0.1), match(0.7, { match: null })] };
  assert.deepEqual(
    everyFace(result).map((face) => face.similarity),
    [0.7, 0.6, 0.1],
  );
});

test("the server's own threshold can be chosen again, measured table or not", () => {
  const used = at(0.43);
  assert.deepEqual(measuredThresholds({ threshold: used }), [used]);
  const measured = measuredThresholds({ threshold: used, thresholds: [at(0.6), at(0.43), at(0.2)] });
  assert.deepEqual(
    measured.map(({ value }) => value),
    [0.2, 0.43, 0.6],
  );
  assert.ok(measured.includes(used));
});

test("rates are shown where they were measured", () => {
  const measured = [at(0.2), at(0.4), at(0.8)];
  assert.equal(nearestThreshold(measured, 0.55).value, 0.4);
  assert.equal(nearestThreshold(measured, -3).value, 0.2);
  assert.equal(nearestThreshold(measured, 0.9).value, 0.8);
});

test("the axis holds every face and every threshold", () => {
  const range = similarityRange([at(0.1), at(0.6)], [match(-0.2), match(0.9)]);
  assert.ok(range.from < -0.2 && range.to > 0.9);
  assert.equal(placeInRange(range.from, range), 0);
  assert.equal(placeInRange(range.to, range), 1);
  assert.equal(placeInRange(99, range), 1);
});

test("one threshold and no face still make an axis", () => {
  const range = similarityRange([at(0.4)], []);
  assert.ok(range.to > range.from);
});

test("the outcome is a sentence", () => {
  assert.equal(outcomeWords(["match"]), "It is a match");
  assert.equal(outcomeWords(["other"]), "It is not a match");
  assert.equal(outcomeWords([]), "No faces to compare");
  assert.equal(outcomeWords(["match", "other", "poor"]), "1 of 3 faces matches");
  assert.equal(outcomeWords(["match", "match"]), "2 of 2 faces match");
  assert.equal(outcomeWords(["other", "poor"]), "None of 2 faces matches");
});

test("reasons and notices are plain words, also those the page does not know yet", () => {
  assert.equal(
    poorReason({ match: null, quality: { low: true, reasons: ["too_small", "too_blurred"] } }),
    "the face is too small and the face is too blurred",
  );
  assert.equal(poorReason({ match: null, quality: { low: false, reasons: [] } }), "the anchor face is");
  assert.match(noticeWords("several_faces_in_anchor"), /several faces/);
  assert.equal(noticeWords("brand_new"), "brand new");
});
