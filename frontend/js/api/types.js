// @ts-check
/** What the API answers. Written by `make types` from the OpenAPI document: change it there. */

/**
 * Years: the expectation of the estimated distribution and its standard deviation.
 * @typedef {object} AgeEstimate
 * @property {number} value  Years: the mean of the estimated distribution
 * @property {number} spread  Years: its standard deviation
 */

/**
 * Estimates; only what was asked for is there.
 * @typedef {object} Attributes
 * @property {AgeEstimate | null} age  How old the face looks
 * @property {Scores | null} gender  `woman` or `man`, as the face looks
 * @property {Scores | null} ethnicity  One of six, as the face looks
 * @property {Scores | null} emotion  One of seven, as the face looks
 */

/**
 * In pixels of the upright photo.
 * @typedef {object} Box
 * @property {number} x  Left edge in pixels of the upright photo
 * @property {number} y  Top edge in pixels of the upright photo
 * @property {number} width  Width in pixels
 * @property {number} height  Height in pixels
 */

/**
 * The faces of the photo, largest first.
 * @typedef {object} DetectionResult
 * @property {Photo} image  The photo that was looked at
 * @property {string | null} annotated_url  The photo with its boxes drawn, a JPEG
 * @property {"no_faces" | null} notice  `no_faces` where the photo shows none
 * @property {Array<Face>} faces  Every face found, largest first
 */

/**
 * A face of a photo.
 * @typedef {object} Face
 * @property {number} index  Its number on the photo, from 0; the largest face comes first
 * @property {Box} box  Where the face is
 * @property {number} confidence  How sure the detector is that this is a face, 0 to 1
 * @property {Landmarks} landmarks  Five points of the face
 * @property {string} crop_url  The face cut out of the photo, with some margin: a JPEG
 * @property {Attributes | null} attributes  Estimates, where they were asked for
 */

/**
 * Why a job failed.
 * @typedef {object} JobError
 * @property {string} code  Stable name of the problem
 * @property {string} title  What happened, in a few words
 * @property {string} detail  A sentence about this case, for people
 * @property {string} advice  What to do about it
 * @property {boolean} about_photo  Whether only another photo can help
 */

/**
 * Jobs, newest first.
 * @typedef {object} JobPage
 * @property {Array<JobView>} jobs  At most `limit` jobs
 * @property {string | null} next_cursor  Give it as `cursor` to have the next page; null on the last
 */

/**
 * @typedef {"queued" | "running" | "succeeded" | "failed" | "cancelled"} JobStatus
 */

/**
 * A job as the API shows it: no lease, and the result only once it is whole.
 * @typedef {object} JobView
 * @property {string} id  UUID of version 7: ids sort by time of submission
 * @property {"detection" | "verification"} kind  What was asked for
 * @property {JobStatus} status  `succeeded`, `failed` and `cancelled` are final
 * @property {Array<string>} steps  The stages that this job runs, in order; `/v1/vocabulary` has their words
 * @property {string | null} stage  The stage the job waits for or is in; null once it has ended
 * @property {number} progress  Share of its stages that are done, 0 to 1
 * @property {number} attempts  Which try of the present stage this is, from 1
 * @property {Record<string, any>} options  The options of the submission, defaults included
 * @property {string} created_at  When it was accepted
 * @property {string | null} started_at  When a worker first took it
 * @property {string | null} finished_at  When it ended
 * @property {Record<string, number>} timings_ms  Milliseconds: `queued` until a worker took it, each stage, and
 *   `<stage>_model` inside its model
 * @property {Record<string, string>} models  The models that answered, as name@version, by task
 * @property {JobError | null} error  Why it failed; null otherwise
 * @property {DetectionResult | VerificationResult | null} result  The result of its kind, once it has succeeded
 */

/**
 * A kind of job.
 * @typedef {object} KindWords
 * @property {string} title  What people call it
 * @property {string} summary  What it does, in a sentence
 * @property {string} path  Where it is submitted
 * @property {Array<string>} photos  The file fields of its form
 * @property {Array<string>} stages  Every stage it may run, in order
 */

/**
 * Pixels x, y of the upright photo; left and right as seen in the picture.
 * @typedef {object} Landmarks
 * @property {[number, number]} left_eye  The eye on the left of the picture: x, y in pixels
 * @property {[number, number]} right_eye  The eye on the right of the picture: x, y in pixels
 * @property {[number, number]} nose  Tip of the nose: x, y in pixels
 * @property {[number, number]} left_mouth  Corner of the mouth on the left of the picture: x, y in pixels
 * @property {[number, number]} right_mouth  Corner of the mouth on the right of the picture: x, y in pixels
 */

/**
 * @typedef {object} Liveness
 * @property {"ok"} [status]  Always `ok`
 */

/**
 * One face of the second photo against the anchor.
 * @typedef {object} Match
 * @property {Face} face  The face of the second photo
 * @property {number} similarity  Cosine of the two embeddings, -1 to 1
 * @property {number} probability  That both are one person, given the `prior`; never 0 or 1
 * @property {boolean | null} match  The decision at the threshold; null where nobody can say
 * @property {boolean} low_quality  Whether the face is too poor to judge at all
 * @property {Quality | null} quality  What was measured of the face, and why it is too poor
 */

/**
 * The models that answer right now.
 * @typedef {object} ModelList
 * @property {Array<ModelView>} models  One entry a version
 */

/**
 * A model that answers right now.
 * @typedef {object} ModelView
 * @property {string} task  What it does: `detector`, `verifier`, or the attribute it estimates
 * @property {string} name  Name of the bundle
 * @property {string} version  Version of the bundle
 * @property {string} stage  The stage whose workers run it
 * @property {Record<string, any>} metrics  Figures from its bundle, with what they were measured on
 * @property {Record<string, any>} parameters  The knobs its bundle sets: sizes, thresholds
 * @property {string} trained_on  The data it learned from
 * @property {string} licence  The terms of its weights
 * @property {string | null} sha256  Checksum of the graph; null for one that is no bundle of ours
 * @property {string} card  The model card, Markdown
 * @property {number} workers  How many live workers run it
 */

/**
 * Size of the upright photo in pixels, and where a browser can load it.
 * @typedef {object} Photo
 * @property {number} width  Pixels of the upright photo
 * @property {number} height  Pixels of the upright photo
 * @property {string} url  The photo, as a browser can show it
 */

/**
 * RFC 9457 problem details. `code`, `advice`, `retryable` and `about_photo` are extension members.
 * @typedef {object} Problem
 * @property {string} [type]  Always `about:blank`: `code` says what the problem is
 * @property {string} title  What happened, in a few words
 * @property {number} status  The HTTP status, once more
 * @property {string} detail  A sentence about this case, for people
 * @property {string} code  Stable name of the problem, for programs
 * @property {string} advice  What to do about it
 * @property {boolean} retryable  Whether the same request can succeed later
 * @property {boolean} about_photo  Whether only another photo can help
 * @property {string | null} [instance]  The path that was asked for
 */

/**
 * A problem, by its stable code.
 * @typedef {object} ProblemWords
 * @property {string} title  What happened, in a few words
 * @property {string} advice  What to do about it
 * @property {number} status  HTTP status, where an answer is refused with it
 * @property {boolean} retryable  Whether the same request can succeed later
 * @property {boolean} about_photo  Whether only another photo can help
 */

/**
 * Whether a face is good enough to be judged, and the measures that say so.
 * @typedef {object} Quality
 * @property {boolean} low  Whether the face is too poor to be judged at all; `turned_away` alone is not
 * @property {number} face_size_px  Shorter side of its box, in pixels of the photo
 * @property {number} sharpness  Variance of the Laplacian over that of the grey levels, a hundredfold
 * @property {number | null} brightness  Mean grey level of the aligned face, 0 to 255
 * @property {number | null} contrast  Standard deviation of its grey levels
 * @property {number | null} turn  Nose beside the eyes' middle, in eye distances; 0.6 is 45°
 * @property {number | null} inside  Share of the aligned face that the photo shows, 0 to 1
 * @property {Array<"too_small" | "too_dark" | "low_contrast" | "too_blurred" | "cut_off" | "turned_away">} reasons
 *   What is too poor; `turned_away` only voids a `no`
 */

/**
 * `checks` says `ok` or what is wrong with store, database and queue; `workers` counts live ones by stage.
 * @typedef {object} Readiness
 * @property {"ready" | "unavailable"} status  `ready` when jobs are accepted
 * @property {Record<string, string>} checks  `ok`, or what is wrong, of store, database and queue
 * @property {Record<string, number>} workers  Live workers by stage
 */

/**
 * The likeliest label and the whole distribution, which sums to 1.
 * @typedef {object} Scores
 * @property {string} label  The likeliest label
 * @property {Record<string, number>} scores  The probability of every label; they sum to 1
 */

/**
 * A stage of jobs.
 * @typedef {object} StageWords
 * @property {string} label  Names the step: `Find faces`
 * @property {string} doing  Says it is under way: `Finding faces`
 * @property {string} noun  Stands before its time: `finding faces 38 ms`
 */

/**
 * A similarity and the error rates measured at it. Where there is no `far_any`, `far` is of any two strangers.
 * @typedef {object} Threshold
 * @property {number} value  Similarity from which a face counts as a match
 * @property {number} far  Share of strangers who look alike (same gender, ethnicity, age within ten years) accepted at
 *   it
 * @property {number} frr  Share of true pairs rejected at it
 * @property {number | null} far_any  Share of any two strangers accepted at it
 * @property {number | null} far_worst  `far` within the group where it is highest
 */

/**
 * What a wait is for: another status or stage, or the end of the job.
 * @typedef {"change" | "end"} Until
 */

/**
 * `matches` and `unmatched` together are every face of the second photo, likeliest first.
 * @typedef {object} VerificationResult
 * @property {Photo} anchor  The photo of the person who is looked for
 * @property {Photo} image  The photo that was looked through
 * @property {string | null} annotated_url  The second photo with its boxes drawn, a JPEG
 * @property {Face} anchor_face  The anchor photo's largest face, which was compared
 * @property {Quality | null} anchor_quality  What was measured of the anchor's face
 * @property {Threshold} threshold  Where the decision was made, and the error rates measured there
 * @property {Array<Threshold>} thresholds  The measured table, for moving the threshold
 * @property {string | null} worst_group  The group of people whose `far_worst` is told
 * @property {number | null} any_false_match  Chance of a false match among the judged faces, if all are strangers as in
 *   `far`
 * @property {Array<"several_faces_in_anchor" | "no_faces" | "low_quality_anchor">} notices  What whoever reads the
 *   result should know
 * @property {Array<Match>} matches  Faces at or above the threshold, likeliest first
 * @property {Array<Match>} unmatched  Faces below it or too poor to judge, likeliest first
 */

/**
 * The words for whatever the API names by a code.
 * @typedef {object} Vocabulary
 * @property {Record<string, KindWords>} kinds  By `kind`
 * @property {Record<string, StageWords>} stages  By `stage`
 * @property {Record<string, string>} tasks  What a model does, by `task`
 * @property {Record<string, ProblemWords>} problems  By `code`
 */

export {};
