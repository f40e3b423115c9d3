// Drawings of 16 by 16.

import { drawing } from "/shared/element.js";

export const STATES = {
  ok: "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1zm3.3 4.2L7 9.5 4.9 7.4l-1 1.1L7 11.6l5.4-5.3z",
  warning: "M8 1.2L15.5 14.5H.5zM7.2 6v4.2h1.6V6zm0 5.4V13h1.6v-1.6z",
  critical: "M5 1h6l4 4v6l-4 4H5l-4-4V5zM7.2 4v5h1.6V4zm0 6.5v1.7h1.6v-1.7z",
  unknown: "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1zM5.5 6.1h1.6c0-1.3 2-1.2 2-.1 0 1.2-1.9 1.2-1.9 3.2h1.6c0-1.4 2-1.5 2-3.3 0-2.8-5.3-2.8-5.3.2zm1.7 4.3V12h1.6v-1.6z",
  info: "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1zM7.2 7v5h1.6V7zm0-2.8v1.7h1.6V4.2z",
  live: "M8 6a2 2 0 1 1 0 4 2 2 0 0 1 0-4zM4.2 4.2l1 1a4 4 0 0 0 0 5.6l-1 1a5.4 5.4 0 0 1 0-7.6zm7.6 0a5.4 5.4 0 0 1 0 7.6l-1-1a4 4 0 0 0 0-5.6z",
  lock: "M5 7V5a3 3 0 0 1 6 0v2h1.5v7.5h-9V7zm1.5 0h3V5a1.5 1.5 0 0 0-3 0z",
  close: "M3.3 2.2L8 6.9l4.7-4.7 1.1 1.1L9.1 8l4.7 4.7-1.1 1.1L8 9.1l-4.7 4.7-1.1-1.1L6.9 8 2.2 3.3z",
};

// A page draws by name what it has paths for.
export function drawIcons(paths) {
  function icon(name) {
    return drawing(
      "svg",
      { class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true", "fill-rule": "evenodd" },
      drawing("path", { d: paths[name], "fill-rule": "evenodd" }),
    );
  }

  // An icon that can become another one.
  function changingIcon(name) {
    const root = icon(name);
    return {
      root,
      show(other) {
        const path = root.firstChild;
        if (path.getAttribute("d") !== paths[other]) path.setAttribute("d", paths[other]);
      },
    };
  }

  return { icon, changingIcon };
}
