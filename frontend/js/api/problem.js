// @ts-check

/** Problems that pass by themselves: the same request, sent later, can succeed. */
const PASSING = new Set(["queue_full", "rate_limited", "unavailable"]);

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
  [507, "storage_full"],
]);

/** A refusal by the server: RFC 9457 problem details with facekit's stable `code`. */
export class Problem extends Error {
  /** @param {{code: string, detail?: string, status?: number, retryAfterS?: number | null}} fields */
  constructor({ code, detail = "", status = 0, retryAfterS = null }) {
    super(detail || code);
    this.name = "Problem";
    this.code = code;
    this.detail = detail;
    this.status = status;
    this.retryAfterS = retryAfterS;
  }

  get passes() {
    return PASSING.has(this.code);
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
    const code = typeof body?.code === "string" ? body.code : (CODE_OF_STATUS.get(status) ?? "internal_error");
    const detail = typeof body?.detail === "string" ? body.detail : "";
    return new Problem({ code, detail, status, retryAfterS });
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
