import assert from "node:assert/strict";
import { test } from "node:test";
import {
  boxInPercent,
  clampBox,
  distance,
  faceAt,
  fitWithin,
  photoToScreen,
  screenToPhoto,
  tagPlace,
} from "../../../frontend/js/geometry.js";

const PHOTO = { width: 1600, height: 1200 };

test("a photo fits the smaller side of its place and is not enlarged past its limit", () => {
  assert.deepEqual(fitWithin(PHOTO, { width: 800, height: 800 }), { width: 800, height: 600 });
  assert.deepEqual(fitWithin(PHOTO, { width: 9000, height: 300 }), { width: 400, height: 300 });
  assert.deepEqual(fitWithin({ width: 100, height: 50 }, { width: 1000, height: 1000 }, 3), {
    width: 300,
    height: 150,
  });
});

test("a frame never leaves the photo", () => {
  assert.deepEqual(clampBox({ x: -20, y: 1150, width: 100, height: 100 }, PHOTO), {
    x: 0,
    y: 1150,
    width: 80,
    height: 50,
  });
  assert.deepEqual(clampBox({ x: 1700, y: 0, width: 10, height: 10 }, PHOTO), { x: 1600, y: 0, width: 0, height: 10 });
});

test("frames are placed in percent, so they hold at every size", () => {
  assert.deepEqual(boxInPercent({ x: 400, y: 300, width: 160, height: 120 }, PHOTO), {
    x: 25,
    y: 25,
    width: 10,
    height: 10,
  });
});

test("screen and photo are each other's inverse", () => {
  const shown = { x: 37, y: 91, width: 640, height: 480 };
  const box = { x: 412.5, y: 120.25, width: 88, height: 104 };
  const onScreen = photoToScreen(box, shown, PHOTO);
  const back = screenToPhoto({ x: onScreen.x, y: onScreen.y }, shown, PHOTO);
  assert.ok(Math.abs(back.x - box.x) < 1e-9 && Math.abs(back.y - box.y) < 1e-9);
  assert.deepEqual(screenToPhoto({ x: 37 + 320, y: 91 + 240 }, shown, PHOTO), { x: 800, y: 600 });
});

test("a pointer means the smallest face around it", () => {
  const faces = [
    { index: 0, box: { x: 0, y: 0, width: 400, height: 400 } },
    { index: 1, box: { x: 100, y: 100, width: 50, height: 50 } },
  ];
  assert.equal(faceAt({ x: 120, y: 120 }, faces, 0), 1);
  assert.equal(faceAt({ x: 20, y: 20 }, faces, 0), 0);
});

test("beside all faces a pointer means the nearest within reach, and none beyond it", () => {
  const faces = [
    { index: 4, box: { x: 0, y: 0, width: 10, height: 10 } },
    { index: 7, box: { x: 40, y: 0, width: 10, height: 10 } },
  ];
  assert.equal(faceAt({ x: 18, y: 5 }, faces, 12), 4);
  assert.equal(faceAt({ x: 35, y: 5 }, faces, 12), 7);
  assert.equal(faceAt({ x: 25, y: 5 }, faces, 12), null);
  assert.equal(faceAt({ x: 5, y: 5 }, [], 12), null);
});

test("the distance to a box is measured from its nearest edge or corner", () => {
  const box = { x: 10, y: 10, width: 10, height: 10 };
  assert.equal(distance({ x: 15, y: 15 }, box), 0);
  assert.equal(distance({ x: 23, y: 24 }, box), 5);
});

test("a tag goes above its face unless the face touches the top", () => {
  assert.equal(tagPlace({ x: 0, y: 100, width: 10, height: 10 }, PHOTO, 22), "above");
  assert.equal(tagPlace({ x: 0, y: 5, width: 10, height: 10 }, PHOTO, 22), "inside");
});
