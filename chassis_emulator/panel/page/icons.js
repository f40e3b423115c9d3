// Drawings of 16 by 16.

import { drawing } from "./element.js";

const PATHS = {
  star: "M8 1.2l2 4.4 4.8.5-3.6 3.2 1 4.7L8 11.6 3.8 14l1-4.7L1.2 6.1l4.8-.5z",
  play: "M4 2.5v11l9-5.5z",
  temperature: "M8 1a2 2 0 0 0-2 2v5.7a3.6 3.6 0 1 0 4 0V3a2 2 0 0 0-2-2zm0 1.2a.8.8 0 0 1 .8.8v6.4l.5.3a2.4 2.4 0 1 1-2.6 0l.5-.3V3a.8.8 0 0 1 .8-.8z",
  power: "M9.3 1L3 9h4l-.8 6L13 6.6H8.6z",
  pull: "M8 1l4 4.5H9.5V10h-3V5.5H4zM2.5 12h11v2.5h-11z",
  insert: "M8 10L4 5.5h2.5V1h3v4.5H12zM2.5 12h11v2.5h-11z",
  snatch: "M8 1l4 4.5H9.5V7h-3V5.5H4zM2.5 12h11v2.5h-11zM6.5 8h3v1h-3zm0 2h3v1h-3z",
  on: "M7.2 1h1.6v7H7.2zM4.6 3.2l1 1.2a4.6 4.6 0 1 0 4.8 0l1-1.2a6.1 6.1 0 1 1-6.8 0z",
  reset: "M8 2.5V.5l3.5 3L8 6.5V4.3a4 4 0 1 0 4 4.2h1.7A5.8 5.8 0 1 1 8 2.5z",
  identify: "M8 4.5A3.5 3.5 0 1 1 8 11.5a3.5 3.5 0 0 1 0-7zM7.3.5h1.4v2.6H7.3zm0 12.4h1.4v2.6H7.3zM.5 7.3h2.6v1.4H.5zm12.4 0h2.6v1.4h-2.6z",
  close: "M3.3 2.2L8 6.9l4.7-4.7 1.1 1.1L9.1 8l4.7 4.7-1.1 1.1L8 9.1l-4.7 4.7-1.1-1.1L6.9 8 2.2 3.3z",
  ok: "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1zm3.3 4.2L7 9.5 4.9 7.4l-1 1.1L7 11.6l5.4-5.3z",
  warning: "M8 1.2L15.5 14.5H.5zM7.2 6v4.2h1.6V6zm0 5.4V13h1.6v-1.6z",
  critical: "M5 1h6l4 4v6l-4 4H5l-4-4V5zM7.2 4v5h1.6V4zm0 6.5v1.7h1.6v-1.7z",
  unknown: "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1zM5.5 6.1h1.6c0-1.3 2-1.2 2-.1 0 1.2-1.9 1.2-1.9 3.2h1.6c0-1.4 2-1.5 2-3.3 0-2.8-5.3-2.8-5.3.2zm1.7 4.3V12h1.6v-1.6z",
  info: "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1zM7.2 7v5h1.6V7zm0-2.8v1.7h1.6V4.2z",
  lock: "M5 7V5a3 3 0 0 1 6 0v2h1.5v7.5h-9V7zm1.5 0h3V5a1.5 1.5 0 0 0-3 0z",
  live: "M8 6a2 2 0 1 1 0 4 2 2 0 0 1 0-4zM4.2 4.2l1 1a4 4 0 0 0 0 5.6l-1 1a5.4 5.4 0 0 1 0-7.6zm7.6 0a5.4 5.4 0 0 1 0 7.6l-1-1a4 4 0 0 0 0-5.6z",
};

export function icon(name) {
  return drawing(
    "svg",
    { class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true", "fill-rule": "evenodd" },
    drawing("path", { d: PATHS[name], "fill-rule": "evenodd" }),
  );
}

// An icon that can become another one.
export function changingIcon(name) {
  const root = icon(name);
  return {
    root,
    show(other) {
      const path = root.firstChild;
      if (path.getAttribute("d") !== PATHS[other]) path.setAttribute("d", PATHS[other]);
    },
  };
}

export function fanDrawing() {
  const blades = [0, 72, 144, 216, 288].map((turn) =>
    drawing("path", { d: "M12 12C9 9.5 8.5 4.5 12.5 2.5 15.5 4.5 14.5 9 12 12z", transform: `rotate(${turn} 12 12)` }),
  );
  return drawing("svg", { class: "rotor", viewBox: "0 0 24 24", "aria-hidden": "true" }, ...blades,
    drawing("circle", { cx: 12, cy: 12, r: 2.4, class: "hub" }));
}
