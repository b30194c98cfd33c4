// @ts-check
/** The API's shapes, as `services/common/schemas.py` defines them. Types alone: no browser ever loads this file. */

/** @typedef {"age" | "gender" | "ethnicity" | "emotion"} Attribute */
/** @typedef {"detection" | "verification"} JobKind */
/** @typedef {"queued" | "running" | "succeeded" | "failed" | "cancelled"} JobStatus */

/**
 * Left, top, width and height in pixels of the upright photo.
 * @typedef {{x: number, y: number, width: number, height: number}} Box
 */

/**
 * Years: the expectation of the estimated distribution and its standard deviation.
 * @typedef {{value: number, spread: number}} AgeEstimate
 */

/**
 * The likeliest label and the whole distribution, which sums to 1.
 * @typedef {{label: string, scores: Record<string, number>}} Scores
 */

/** @typedef {{age?: AgeEstimate | null, gender?: Scores | null, ethnicity?: Scores | null, emotion?: Scores | null}} Attributes */

/**
 * @typedef {object} Face
 * @property {number} index
 * @property {Box} box
 * @property {number} confidence  0 to 1
 * @property {string} crop_url
 * @property {Attributes | null} [attributes]
 */

/** @typedef {{width: number, height: number, url: string}} Photo */

/**
 * @typedef {object} DetectionResult
 * @property {Photo} image
 * @property {string | null} [annotated_url]
 * @property {"no_faces" | null} [notice]
 * @property {Face[]} faces
 */

/**
 * A similarity with the false-accept and false-reject rates measured at it.
 * @typedef {{value: number, far: number, frr: number}} Threshold
 */

/** @typedef {{low: boolean, face_size_px: number, sharpness: number, reasons: string[]}} Quality */

/**
 * One face of the second photo against the anchor; `match` is null where nobody can say.
 * @typedef {object} Match
 * @property {Face} face
 * @property {number} similarity  -1 to 1
 * @property {number} probability  0 to 1
 * @property {boolean | null} match
 * @property {boolean} [low_quality]
 * @property {Quality | null} [quality]
 */

/**
 * @typedef {object} VerificationResult
 * @property {Photo} anchor
 * @property {Photo} image
 * @property {string | null} [annotated_url]
 * @property {Face} anchor_face
 * @property {Quality | null} [anchor_quality]
 * @property {Threshold} threshold
 * @property {Threshold[]} [thresholds]
 * @property {string[]} [notices]
 * @property {Match[]} matches
 * @property {Match[]} unmatched
 */

/**
 * @typedef {object} Job
 * @property {string} id
 * @property {JobKind} kind
 * @property {JobStatus} status
 * @property {string | null} stage
 * @property {number} progress  0 to 1
 * @property {number} attempts  counts from 1
 * @property {Record<string, any>} options
 * @property {string} created_at
 * @property {string | null} started_at
 * @property {string | null} finished_at
 * @property {Record<string, number>} timings_ms
 * @property {Record<string, string>} models
 * @property {{code: string, detail: string} | null} error
 * @property {DetectionResult | VerificationResult | null} result
 */

/** @typedef {{jobs: Job[], next_cursor: string | null}} JobPage */

/**
 * @typedef {object} Model
 * @property {string} task
 * @property {string} name
 * @property {string} version
 * @property {string} stage
 * @property {Record<string, any>} metrics
 * @property {Record<string, any>} parameters
 * @property {string} trained_on
 * @property {string} licence
 * @property {string | null} sha256
 * @property {string} card  Markdown
 * @property {number} workers
 */

/** @typedef {{analyze: Attribute[], minConfidence: number | null, maxFaces: number | null}} DetectionOptions */

export {};
