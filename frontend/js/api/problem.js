// @ts-check

/** What to call an answer that brings no problem+json, as a proxy's own error page. */
const CODE_OF_STATUS = new Map([
  [401, "unauthorized"],
  [403, "forbidden"],
  [404, "not_found"],
  [405, "method_not_allowed"],
  [413, "image_too_large"],
  [415, "unsupported_format"],
  [429, "rate_limited"],
  [502, "unavailable"],
  [503, "unavailable"],
  [504, "unavailable"],
]);
/** What passes by itself, where the answer does not say: a proxy has no server behind it, or too much. */
const PASSING_STATUSES = new Set([429, 502, 503, 504]);

/** A refusal by the server: RFC 9457 problem details with facekit's stable `code`. */
export class Problem extends Error {
  /**
   * Absent words are those of the vocabulary for the code.
   * @param {Partial<import("./types.js").Problem> & {code: string, retryAfterS?: number | null}} fields
   */
  constructor({ code, title, detail = "", advice, about_photo, status = 0, retryable = false, retryAfterS = null }) {
    super(detail || code);
    this.name = "Problem";
    this.code = code;
    this.title = title;
    this.detail = detail;
    this.advice = advice;
    this.about_photo = about_photo;
    this.status = status;
    /** Whether the same request, sent later, can succeed. */
    this.retryable = retryable;
    this.retryAfterS = retryAfterS;
  }

  /**
   * @param {Response} response one that is not ok
   * @returns {Promise<Problem>}
   */
  static async of(response) {
    const status = response.status;
    const seconds = Number(response.headers.get("Retry-After") ?? Number.NaN);
    const retryAfterS = Number.isFinite(seconds) ? seconds : null;
    /** @type {any} */
    const body = await response.json().catch(() => null);
    const retryable = PASSING_STATUSES.has(status);
    if (typeof body?.code === "string") return new Problem({ retryable, ...body, status, retryAfterS });
    return new Problem({ code: CODE_OF_STATUS.get(status) ?? "internal_error", status, retryable, retryAfterS });
  }

  /**
   * Any thrown value as a Problem, so that a view has one thing to show.
   * @param {unknown} error
   */
  static from(error) {
    if (error instanceof Problem) return error;
    return new Problem({ code: "page_error", detail: error instanceof Error ? error.message : String(error) });
  }
}
