// How bad something is: a shape, a word and a colour, each of which says it alone.

import { element, setAttribute, setText } from "/shared/element.js";
import { STATES, drawIcons } from "/shared/icons.js";

// Worst first (ITU-T X.733).
export const SEVERITIES = { critical: "red", major: "orange", minor: "yellow", warning: "yellow", indeterminate: "yellow" };
const RANKS = Object.keys(SEVERITIES);
export const rankOf = (severity) => RANKS.indexOf(severity);

// Of a component, worst first: its colour, what it is drawn as and what it is called.
export const CONDITIONS = {
  red: { shape: "critical", word: "critical", sign: "✕" },
  orange: { shape: "major", word: "major", sign: "‼" },
  yellow: { shape: "warning", word: "minor", sign: "!" },
  grey: { shape: "unknown", word: "silent", sign: "?" },
  green: { shape: "ok", word: "well", sign: "" },
};
const COLOURS = Object.keys(CONDITIONS);
export const rankOfColour = (colour) => COLOURS.indexOf(colour);

const MAJOR = "M8 .6L15.4 8 8 15.4.6 8zM7.2 4.4v4.2h1.6V4.4zm0 5.5v1.7h1.6V9.9z";
const MINOR = "M8 1.2L15.5 14.5H.5zm0 3.3L3.3 12.8h9.4zM7.3 7v3h1.4V7zm0 3.6V12h1.4v-1.4z";
export const SHAPES = { major: "major", minor: "warning", critical: "critical", warning: "notice", indeterminate: "unknown" };
export const { changingIcon } = drawIcons({ ...STATES, major: MAJOR, notice: MINOR });

// A word with its shape, as `show(severity)` says.
export function makeBadge() {
  const mark = changingIcon("unknown");
  const word = element("span");
  const root = element("span", { class: "badge" }, mark.root, word);
  return {
    root,
    show(severity, cleared) {
      setAttribute(root, "class", `badge ${cleared ? "past" : SEVERITIES[severity]}`);
      mark.show(SHAPES[severity]);
      setText(word, severity);
    },
  };
}
