import assert from "node:assert/strict";
import { test } from "node:test";
import { Problem } from "../../../frontend/js/api/problem.js";
import { stepsOf } from "../../../frontend/js/jobs/stages.js";
import { Submission } from "../../../frontend/js/jobs/submission.js";
import { Semaphore } from "../../../frontend/js/semaphore.js";
import { Store } from "../../../frontend/js/store.js";

const job = (status, extra = {}) => ({
  id: "1",
  kind: "detection",
  status,
  steps: ["detector"],
  stage: "detector",
  progress: 0,
  attempts: 1,
  error: null,
  options: {},
  ...extra,
});

/** A server whose job goes through the given states, one a request. */
function apiWith(...states) {
  return { job: async () => states.shift(), cancel: async () => job("cancelled"), asked: states };
}

function phases(submission) {
  const seen = [];
  submission.watch(({ phase }) => seen.at(-1) !== phase && seen.push(phase));
  return seen;
}

test("a submission is followed from sending to its end", async () => {
  const api = apiWith(job("running"), job("succeeded", { stage: null }));
  const submission = new Submission(api, async () => job("queued"));
  const seen = phases(submission);
  await submission.run();
  assert.deepEqual(seen, ["waiting", "sending", "following", "ended"]);
  assert.equal(submission.state.job.status, "succeeded");
});

test("a refused upload says why and can be told from a failed job", async () => {
  const submission = new Submission(apiWith(), async () => {
    throw new Problem({ code: "image_corrupt" });
  });
  await submission.run();
  assert.equal(submission.state.phase, "refused");
  assert.equal(submission.state.problem.code, "image_corrupt");
  assert.ok(submission.over);
});

test("a lost worker is told while its job is tried again", async () => {
  const api = apiWith(job("queued", { attempts: 2 }), job("succeeded"));
  const submission = new Submission(api, async () => job("running"));
  const notes = [];
  submission.watch(({ note }) => note && notes.push(note));
  await submission.run();
  assert.match(notes[0], /attempt 2/);
});

test("cancelling works before there is a job and after", async () => {
  const early = new Submission(apiWith(), () => new Promise(() => {}));
  early.run();
  await early.cancel();
  assert.equal(early.state.problem.code, "cancelled");

  const late = new Submission({ job: () => new Promise(() => {}), cancel: async () => job("cancelled") }, async () =>
    job("running"),
  );
  late.run();
  await new Promise((resolve) => setTimeout(resolve));
  await late.cancel();
  assert.equal(late.state.job.status, "cancelled");
  assert.equal(late.state.phase, "ended");
});

test("steps follow the job, and are those it says it has", () => {
  const states = (state) => stepsOf(state).map((step) => step.state);
  const steps = ["detector", "analyzer"];
  assert.deepEqual(states(null), ["now", "ahead"]);
  assert.deepEqual(states(job("queued")), ["done", "now", "ahead"]);
  assert.deepEqual(states(job("queued", { steps })), ["done", "now", "ahead", "ahead"]);
  const second = job("running", { steps, stage: "analyzer", progress: 0.5 });
  assert.deepEqual(states(second), ["done", "done", "done", "now"]);
  assert.deepEqual(states(job("succeeded", { steps, stage: null })), ["done", "done", "done", "done"]);
});

test("while a full server is waited for, its own words say why and what helps", async () => {
  const full = new Problem({ code: "storage_full", title: "No space left", advice: "Delete old jobs.", retryable: true });
  const submission = new Submission(apiWith(), async ({ onWait }) => {
    onWait(full, 4.2);
    return job("succeeded");
  });
  const notes = [];
  submission.watch(({ note }) => note && notes.push(note));
  await submission.run();
  assert.deepEqual(notes, ["No space left: trying again in 5 s. Delete old jobs."]);
});

test("at most so many pieces of work run at once, and all of them run", async () => {
  const turns = new Semaphore(2);
  let running = 0;
  let most = 0;
  const work = async (fail) => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 2));
    running--;
    if (fail) throw new Error("failed");
    return "done";
  };
  const results = await Promise.allSettled(
    [false, true, false, false, true].map((fail) => turns.run(() => work(fail))),
  );
  assert.equal(most, 2);
  assert.deepEqual(
    results.map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled", "fulfilled", "rejected"],
  );
});

test("a store tells its watchers now and at each change, until they leave", () => {
  const store = new Store({ count: 1, name: "a" });
  const leave = new AbortController();
  const seen = [];
  store.watch(({ count }) => seen.push(count), leave.signal);
  store.update({ count: 2 });
  leave.abort();
  store.update({ count: 3 });
  assert.deepEqual(seen, [1, 2]);
  assert.deepEqual(store.state, { count: 3, name: "a" });
});
