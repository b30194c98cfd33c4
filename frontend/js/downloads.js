// @ts-check

/** @typedef {import("./api/api.js").Api} Api */

/**
 * Hands bytes to the browser as a download.
 * @param {Blob} blob
 * @param {string} name
 */
export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 30_000);
}

/**
 * @param {import("./api/types.js").JobView} job
 */
export function saveJson(job) {
  save(new Blob([JSON.stringify(job, null, 2)], { type: "application/json" }), `${stem(job)}.json`);
}

/**
 * @param {Api} api
 * @param {import("./api/types.js").JobView} job
 * @param {string} url
 * @param {string} part what of the job this is
 */
export async function savePicture(api, job, url, part) {
  const blob = await api.picture(url);
  save(blob, `${stem(job)}-${part}.${extension(blob.type)}`);
}

/**
 * Every face as a picture of its own, in one archive.
 * @param {Api} api
 * @param {import("./api/types.js").JobView} job
 */
export async function saveFaces(api, job) {
  save(await api.faces(job.id), `${stem(job)}-faces.zip`);
}

/** @param {import("./api/types.js").JobView} job */
function stem(job) {
  return `facekit-${job.id.slice(0, 13)}`;
}

/** @param {string} mediaType */
function extension(mediaType) {
  return mediaType.replace(/^image\/(x-)?/, "").replace("jpeg", "jpg") || "bin";
}
