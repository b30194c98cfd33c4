// @ts-check
/** The views there are: what each is called, whether it keeps what it holds, and how it is made when first wanted. */

/** @typedef {import("../api/api.js").Api} Api */
/** @typedef {{title: string, kept?: boolean, under?: string, make: (api: Api, id: string) => Promise<HTMLElement>}} View */

export const FIRST = "detect";
export const JOB = "job";

/** By the name in the address; `under` is the view whose link is marked while this one is shown. @type {Record<string, View>} */
export const VIEWS = {
  detect: {
    title: "Detect",
    kept: true,
    make: async (api) => new (await import("../detect/detect-view.js")).DetectView(api),
  },
  verify: {
    title: "Verify",
    kept: true,
    make: async (api) => new (await import("../verify/verify-view.js")).VerifyView(api),
  },
  history: {
    title: "History",
    make: async (api) => new (await import("../history/history-view.js")).HistoryView(api),
  },
  models: {
    title: "Models",
    make: async (api) => new (await import("../models/models-view.js")).ModelsView(api),
  },
  [JOB]: {
    title: "Job",
    under: "history",
    make: async (api, id) => new (await import("../history/job-view.js")).JobView(api, id),
  },
};
