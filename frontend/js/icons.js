// @ts-check

const SVG = "http://www.w3.org/2000/svg";

/** Strokes on a 24 × 24 grid. */
const PATHS = {
  photos:
    "M4 16.5V6.8A1.8 1.8 0 0 1 5.8 5h12.4A1.8 1.8 0 0 1 20 6.8v10.4A1.8 1.8 0 0 1 18.2 19H5.8A1.8 1.8 0 0 1 4 17.2l4.6-4.6 3.4 3.4 3-3 5 5M15.5 9.2h.01",
  camera: "M4 8.5h3.2L8.8 6h6.4l1.6 2.5H20v10H4zM12 16.2a3 3 0 1 0 0-6 3 3 0 0 0 0 6z",
  check: "M5 12.5l4.5 4.5L19 7.5",
  cross: "M6.5 6.5l11 11M17.5 6.5l-11 11",
  question: "M8.8 9a3.3 3.3 0 1 1 4.9 2.9c-1.1.6-1.7 1.3-1.7 2.5M12 18h.01",
  download: "M12 4.5v10M7.5 10.5l4.5 4.5 4.5-4.5M5 19.5h14",
  trash: "M5 7h14M10 7V4.5h4V7M7 7l.8 12.5h8.4L17 7M10.5 10.5v5.5M13.5 10.5v5.5",
  alert: "M12 8.5v4.5M12 16.5h.01M12 4l9 16H3z",
  redo: "M18.5 8.5A7.5 7.5 0 1 0 19.5 13M19 4.5v4.5h-4.5",
  swap: "M4 9h13M13.5 5.5L17 9l-3.5 3.5M20 15.5H7M10.5 12L7 15.5l3.5 3.5",
  face: "M4 8V5.5A1.5 1.5 0 0 1 5.5 4H8M16 4h2.5A1.5 1.5 0 0 1 20 5.5V8M20 16v2.5a1.5 1.5 0 0 1-1.5 1.5H16M8 20H5.5A1.5 1.5 0 0 1 4 18.5V16M9.5 10v.5M14.5 10v.5M9 14.5c1.7 1.7 4.3 1.7 6 0",
};

/** @typedef {keyof typeof PATHS} IconName */

/**
 * A picture beside words; a screen reader passes over it.
 * @param {IconName} name
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
