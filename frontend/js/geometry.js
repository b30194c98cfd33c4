// @ts-check
/** Where things of a photo are on the screen, and back. Pure functions; photo pixels are those of the upright photo. */

/** @typedef {import("./api/types.js").Box} Box */
/** @typedef {{width: number, height: number}} Size */
/** @typedef {{x: number, y: number}} Point */

/**
 * The largest size of the photo's shape inside an area, enlarged at most `maxScale` times.
 * @param {Size} photo
 * @param {Size} area
 * @param {number} [maxScale]
 * @returns {Size}
 */
export function fitWithin(photo, area, maxScale = Infinity) {
  const scale = Math.min(area.width / photo.width, area.height / photo.height, maxScale);
  return { width: photo.width * scale, height: photo.height * scale };
}

/**
 * The part of a box that lies on the photo.
 * @param {Box} box
 * @param {Size} photo
 * @returns {Box}
 */
export function clampBox(box, photo) {
  const left = Math.min(Math.max(box.x, 0), photo.width);
  const top = Math.min(Math.max(box.y, 0), photo.height);
  const right = Math.min(Math.max(box.x + box.width, left), photo.width);
  const bottom = Math.min(Math.max(box.y + box.height, top), photo.height);
  return { x: left, y: top, width: right - left, height: bottom - top };
}

/**
 * A box in percent of the photo, so that it stays in place at every size on the screen.
 * @param {Box} box
 * @param {Size} photo
 * @returns {Box}
 */
export function boxInPercent(box, photo) {
  const { x, y, width, height } = clampBox(box, photo);
  const ofWidth = 100 / photo.width;
  const ofHeight = 100 / photo.height;
  return { x: x * ofWidth, y: y * ofHeight, width: width * ofWidth, height: height * ofHeight };
}

/**
 * A point of the screen in photo pixels.
 * @param {Point} point in the coordinates of `shown`
 * @param {Box} shown where the photo is on the screen
 * @param {Size} photo
 * @returns {Point}
 */
export function screenToPhoto(point, shown, photo) {
  return {
    x: ((point.x - shown.x) * photo.width) / shown.width,
    y: ((point.y - shown.y) * photo.height) / shown.height,
  };
}

/**
 * A box of the photo on the screen: the inverse of `screenToPhoto`, for boxes.
 * @param {Box} box
 * @param {Box} shown where the photo is on the screen
 * @param {Size} photo
 * @returns {Box}
 */
export function photoToScreen(box, shown, photo) {
  const across = shown.width / photo.width;
  const down = shown.height / photo.height;
  return {
    x: shown.x + box.x * across,
    y: shown.y + box.y * down,
    width: box.width * across,
    height: box.height * down,
  };
}

/**
 * Distance from a point to a box, 0 inside it.
 * @param {Point} point
 * @param {Box} box
 */
export function distance(point, box) {
  const across = Math.max(box.x - point.x, 0, point.x - box.x - box.width);
  const down = Math.max(box.y - point.y, 0, point.y - box.y - box.height);
  return Math.hypot(across, down);
}

/**
 * Which face a pointer means: the smallest box around it, or else the nearest within `slack` pixels, as the faces of a
 * crowd are smaller than a fingertip.
 * @param {Point} point in photo pixels
 * @param {readonly {index: number, box: Box}[]} faces
 * @param {number} slack in photo pixels
 * @returns {number | null} the face's index
 */
export function faceAt(point, faces, slack) {
  let best = null;
  let bestRank = Infinity;
  for (const { index, box } of faces) {
    const gap = distance(point, box);
    if (gap > slack) continue;
    const area = box.width * box.height;
    // Any box around the point goes before any box beside it: its rank is below zero.
    const rank = gap === 0 ? -1 / area : gap;
    if (rank < bestRank) [best, bestRank] = [index, rank];
  }
  return best;
}

/**
 * Whether a tag as tall as `tagHeight` fits above the box, or has to go inside it.
 * @param {Box} box
 * @param {Size} photo
 * @param {number} tagHeight in photo pixels
 * @returns {"above" | "inside"}
 */
export function tagPlace(box, photo, tagHeight) {
  return clampBox(box, photo).y >= tagHeight ? "above" : "inside";
}
