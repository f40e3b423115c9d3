// The page's drawings: states as on every page, what a blade has, and orders.

import { drawing } from "/shared/element.js";
import { STATES, drawIcons } from "/shared/icons.js";

export const { icon, changingIcon } = drawIcons({
  ...STATES,
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
});

export function fanDrawing() {
  const blades = [0, 72, 144, 216, 288].map((turn) =>
    drawing("path", { d: "M12 12C9 9.5 8.5 4.5 12.5 2.5 15.5 4.5 14.5 9 12 12z", transform: `rotate(${turn} 12 12)` }),
  );
  return drawing("svg", { class: "rotor", viewBox: "0 0 24 24", "aria-hidden": "true" }, ...blades,
    drawing("circle", { cx: 12, cy: 12, r: 2.4, class: "hub" }));
}
