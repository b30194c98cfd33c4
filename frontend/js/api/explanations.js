// @ts-check
/** Each problem code in plain words: what happened, and what to do about it. */

/** @type {Record<string, [string, string]>} */
const WORDS = {
  unsupported_format: ["This is not a photo we can read", "Use a JPEG, PNG, WebP, HEIC or AVIF picture."],
  image_too_large: ["This file is too large", "Save a smaller copy and try that."],
  too_many_pixels: ["This photo has too many pixels", "Scale it down and try again."],
  image_corrupt: ["This photo is damaged", "It could not be read to the end. Try another copy of it."],
  image_too_costly: ["This photo is too costly to open", "Save a plain copy of it, as JPEG, and try that."],
  image_empty: ["This file is empty", "It holds no data at all. Try another copy of it."],
  missing_field: ["Something is missing", "A photo did not arrive with the request. Choose it again."],
  unexpected_field: [
    "The server did not expect this",
    "The page and the server may differ in version: reload the page.",
  ],
  unknown_attribute: [
    "The server does not know this estimate",
    "The page and the server may differ in version: reload the page.",
  ],
  invalid_value: ["A setting is out of range", "Check the options and try again."],
  invalid_job_id: ["This is not a job", "The address is incomplete. Open the job from History."],
  invalid_cursor: ["The list has moved on", "Load History again from the top."],
  idempotency_conflict: ["This was already sent with another photo", "Send it once more."],
  no_such_job: ["This job is gone", "It was deleted, or its time to be kept is over."],
  no_such_image: ["This picture is gone", "It was deleted together with its job."],
  not_found: ["There is nothing at this address", "Start again from Detect or History."],
  method_not_allowed: [
    "The server refuses this action",
    "The page and the server may differ in version: reload the page.",
  ],
  not_cancellable: ["Too late to cancel", "The job has already ended."],
  unauthorized: ["This server wants an API key", "Ask whoever runs it for one, then try again."],
  forbidden: ["Your API key may not do this", "Ask whoever runs the server for a key that may."],
  rate_limited: ["That was a lot of photos", "Sending goes on by itself in a moment."],
  queue_full: ["The queue is full", "Your photo is sent as soon as there is room."],
  storage_full: ["The server has no space left", "Delete old jobs in History, or tell whoever runs the server."],
  unavailable: ["A part of the server does not answer", "We keep trying."],
  internal_error: ["The server made a mistake", "Try again. If it stays, its log tells why."],
  no_face_in_anchor: [
    "No face in the anchor photo",
    "Choose a photo in which the face is larger, sharper or seen from the front.",
  ],
  weights_unavailable: ["A model is not installed", "The weights this job needs are not on the server."],
  device_unavailable: ["The server lacks a device it needs", "Tell whoever runs the server: its log says which."],
  worker_lost: ["The work was interrupted too often", "The program that does it kept stopping. Try again."],
  object_missing: ["A stored photo is missing", "The server lost it before the work was done. Send it again."],
  bundle_invalid: [
    "A model on the server is broken",
    "Its files are incomplete or altered. Tell whoever runs the server.",
  ],
  golden_mismatch: [
    "A model on the server misbehaves",
    "It fails its own check, so it does not answer. Tell whoever runs the server.",
  ],
  cancelled: ["Cancelled", "You stopped this before it was done."],
  upload_interrupted: [
    "The upload was cut off",
    "The file may have changed on disk, or be far too large. Choose it again.",
  ],
  page_error: ["The page made a mistake", "Reload it and try again."],
};

/** What the same photo will meet again. */
const OF_THE_PHOTO = new Set([
  "unsupported_format",
  "image_too_large",
  "too_many_pixels",
  "image_corrupt",
  "image_too_costly",
  "image_empty",
  "no_face_in_anchor",
]);

export const KNOWN_CODES = Object.freeze(Object.keys(WORDS));

/**
 * @param {string} code
 * @returns {{title: string, advice: string}}
 */
export function explain(code) {
  const [title, advice] = WORDS[code] ?? ["Something went wrong", `The server calls it “${code}”.`];
  return { title, advice };
}

/**
 * Whether only another photo can help, and trying again cannot.
 * @param {string} code
 */
export function needsAnotherPhoto(code) {
  return OF_THE_PHOTO.has(code);
}
