import assert from "node:assert/strict";
import { test } from "node:test";
import { Api } from "../../../frontend/js/api/api.js";
import { backoffS, pause } from "../../../frontend/js/api/pause.js";

const OPTIONS = { analyze: ["age", "emotion"], minConfidence: null, maxFaces: 5 };
const PHOTO = new File(["photo"], "a.jpg", { type: "image/jpeg" });

function answer(body, { status = 200, headers = {} } = {}) {
  return new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json", ...headers } });
}

const problem = (code, status, headers) =>
  answer({ code, status, title: code, detail: `about ${code}` }, { status, headers });

/** An Api whose server gives the answers in order; an Error is a server that cannot be reached. */
function apiWith(...answers) {
  const sent = [];
  const pauses = [];
  const kept = new Map();
  const fetch = async (path, init = {}) => {
    sent.push({ path: String(path), ...init });
    const next = path === "/healthz" ? answer({}) : answers.shift();
    if (next instanceof Error) throw next;
    return next;
  };
  const storage = { getItem: (name) => kept.get(name) ?? null, setItem: (name, value) => kept.set(name, value) };
  const api = new Api({ fetch, storage, pause: async (seconds) => void pauses.push(seconds) });
  return { api, sent, pauses, kept };
}

test("a detection carries the photo and only what was asked for", async () => {
  const { api, sent } = apiWith(answer({ id: "1" }));
  await api.detect(PHOTO, OPTIONS);
  const [request] = sent;
  assert.equal(request.path, "/v1/detections");
  assert.equal(request.body.get("image").name, "a.jpg");
  assert.equal(request.body.get("analyze"), "age,emotion");
  assert.equal(request.body.get("max_faces"), "5");
  assert.equal(request.body.has("min_confidence"), false);
});

test("while the server is away a submission is sent again under the same key, and the page is told", async () => {
  const { api, sent, pauses } = apiWith(new TypeError("refused"), answer(null, { status: 502 }), answer({ id: "1" }));
  const told = [];
  api.addEventListener("reachable", () => told.push(api.reachable));
  const job = await api.detect(PHOTO, OPTIONS);
  assert.equal(job.id, "1");
  assert.deepEqual(told, [false, true]);
  const keys = sent.filter(({ path }) => path === "/v1/detections").map(({ headers }) => headers["Idempotency-Key"]);
  assert.equal(keys.length, 3);
  assert.equal(new Set(keys).size, 1);
  assert.ok(keys[0].length >= 32);
  assert.deepEqual(pauses, [0.5, 1]);
});

test("two submissions never share a key", async () => {
  const { api, sent } = apiWith(answer({ id: "1" }), answer({ id: "2" }));
  await api.verify(PHOTO, PHOTO);
  await api.verify(PHOTO, PHOTO);
  assert.notEqual(sent[0].headers["Idempotency-Key"], sent[1].headers["Idempotency-Key"]);
});

test("an upload that a working server keeps cutting off is given up", async () => {
  const { api } = apiWith(...Array.from({ length: 9 }, () => new TypeError("reset")));
  await assert.rejects(api.detect(PHOTO, OPTIONS), { code: "upload_interrupted" });
});

test("a refusal is thrown with its code and detail", async () => {
  const { api } = apiWith(problem("unsupported_format", 415));
  await assert.rejects(api.detect(PHOTO, OPTIONS), {
    code: "unsupported_format",
    detail: "about unsupported_format",
    status: 415,
  });
});

test("a proxy's bare 413 is the too large file it means", async () => {
  const { api } = apiWith(new Response("<html>", { status: 413 }));
  await assert.rejects(api.detect(PHOTO, OPTIONS), { code: "image_too_large" });
});

test("whether a request is sent again is what the server says of its problem", async () => {
  const full = { code: "storage_full", status: 507, title: "No space", detail: "", advice: "Delete.", retryable: true };
  const { api, pauses } = apiWith(answer(full, { status: 507, headers: { "Retry-After": "3" } }), answer({ id: "1" }));
  const told = [];
  await api.detect(PHOTO, OPTIONS, { onWait: ({ title, advice }) => told.push([title, advice]) });
  assert.deepEqual([pauses, told], [[3], [["No space", "Delete."]]]);
  const lacking = apiWith(answer({ ...full, code: "weights_unavailable", retryable: false }, { status: 503 }));
  await assert.rejects(lacking.api.detect(PHOTO, OPTIONS), { code: "weights_unavailable", advice: "Delete." });
});

test("the words come as soon as a server that was away at first answers", async () => {
  const { api, pauses } = apiWith(new TypeError("refused"), new Response("<html>", { status: 502 }), answer({ kinds: {} }));
  assert.deepEqual(await api.vocabulary(), { kinds: {} });
  assert.deepEqual(pauses, [0.5, 1]);
});

test("the faces of a job come as one archive", async () => {
  const { api, sent } = apiWith(new Response("PK"));
  assert.equal(await (await api.faces("0192")).text(), "PK");
  assert.equal(sent[0].path, "/v1/jobs/0192/faces.zip");
});

test("a full queue is waited for as long as the server says, and the page is told", async () => {
  const { api, pauses } = apiWith(problem("queue_full", 503, { "Retry-After": "7" }), answer({ id: "1" }));
  const waits = [];
  await api.detect(PHOTO, OPTIONS, { onWait: ({ code }, seconds) => waits.push([code, seconds]) });
  assert.deepEqual(waits, [["queue_full", 7]]);
  assert.deepEqual(pauses, [7]);
  assert.equal(api.reachable, true);
});

test("the key is asked for once, kept, and sent from then on", async () => {
  const { api, sent, kept } = apiWith(
    problem("unauthorized", 401),
    problem("unauthorized", 401),
    answer({ models: [] }),
    answer({ jobs: [] }),
    answer({ models: [] }),
  );
  const asked = [];
  api.askForKey = async (refused) => {
    asked.push(refused);
    return "secret";
  };
  await Promise.all([api.models(), api.jobs({})]);
  await api.models();
  assert.deepEqual(asked, [false]);
  assert.deepEqual([...kept.values()], ["secret"]);
  assert.equal(sent.at(-1).headers["X-API-Key"], "secret");
});

test("a refused key is asked for again, and no key is a refusal", async () => {
  const { api } = apiWith(problem("unauthorized", 401), problem("unauthorized", 401));
  const asked = [];
  api.askForKey = async (refused) => {
    asked.push(refused);
    return refused ? null : "wrong";
  };
  await assert.rejects(api.models(), { code: "unauthorized" });
  assert.deepEqual(asked, [false, true]);
});

test("without a key pictures load by their address, with one they are fetched", async () => {
  const { api, kept, sent } = apiWith(new Response("jpeg"));
  assert.equal(await api.source("/v1/jobs/1/images/face-0"), "/v1/jobs/1/images/face-0");
  kept.set("facekit.api-key", "secret");
  assert.match(await api.source("/v1/jobs/1/images/face-0"), /^blob:/);
  await api.source("/v1/jobs/1/images/face-0");
  assert.equal(sent.length, 1);
});

test("an aborted request rejects, and is not sent again", async () => {
  const { api, sent } = apiWith(new TypeError("aborted"));
  const abort = new AbortController();
  abort.abort();
  await assert.rejects(api.job("1", { signal: abort.signal }), { name: "AbortError" });
  assert.equal(sent.length, 1);
});

test("waiting and filters are in the address", async () => {
  const { api, sent } = apiWith(answer({}), answer({ jobs: [] }));
  await api.job("0192", { waitS: 20 });
  await api.jobs({ limit: 10, cursor: "c", kind: "detection", status: "" });
  assert.deepEqual(
    sent.map(({ path }) => path),
    ["/v1/jobs/0192?wait=20", "/v1/jobs?limit=10&cursor=c&kind=detection"],
  );
});

test("pauses grow to five seconds, and end at once when aborted", async () => {
  assert.deepEqual([0, 1, 2, 3, 4, 9].map(backoffS), [0.5, 1, 2, 4, 5, 5]);
  const abort = new AbortController();
  const waiting = pause(60, abort.signal);
  abort.abort();
  await assert.rejects(waiting, { name: "AbortError" });
});
