// All chassis at a glance: a line of marks for each, a mark for each slot. What is bad has a sign, and is found at once.

import { element, keepList, setAttribute, setText } from "/shared/element.js";
import { chassisHealth } from "./chassis.js";
import { changingIcon } from "./icons.js";
import * as words from "./words.js";

const FEW_SLOTS = 16;
const SIGNS = { critical: "✕", warning: "!", unknown: "?", ok: "" };
const gradeOf = (slot) => (slot.present || slot.health !== "unknown" ? slot.health : "empty");
const badOnes = (chassis) => chassis.slots.filter((slot) => ["critical", "warning"].includes(gradeOf(slot)));

function makeMark() {
  const root = element("span");
  return {
    root,
    update(slot) {
      const grade = gradeOf(slot);
      setAttribute(root, "class", `mark ${grade}`);
      setText(root, SIGNS[grade] ?? "");
    },
  };
}

function saidOf(chassis) {
  const bad = badOnes(chassis);
  if (!bad.length) return chassisHealth(chassis) === "ok" ? "" : "manager or supply";
  return `${bad.slice(0, 3).map((slot) => `slot ${slot.slot} ${words.trouble(slot)}`).join(", ")}${bad.length > 3 ? ` and ${bad.length - 3} more` : ""}`;
}

// `go(chassis, slot)` when one clicks on a chassis: to the first slot of it that is bad, if there is one.
export function makeOverview(root, go) {
  const kept = new Map();

  function makeLine() {
    let now = null;
    let shown = null;
    const mark = changingIcon("ok");
    const name = element("b");
    const marks = element("span", { class: "marks", "aria-hidden": "true" });
    const said = element("span", { class: "said" });
    const button = element("button", { type: "button", click: () => go(now, badOnes(now)[0]) }, mark.root, name, marks, said);
    const slots = new Map();
    return {
      root: element("li", {}, button),
      update(chassis) {
        now = chassis;
        if (chassis === shown) return;
        shown = chassis;
        const health = chassisHealth(chassis);
        setAttribute(button, "data-health", health);
        setAttribute(button, "aria-label", `${chassis.station}: ${saidOf(chassis) || words.HEALTHS[health]}`);
        mark.show(health);
        setText(name, chassis.station);
        setText(said, saidOf(chassis));
        keepList(marks, slots, chassis.slots, (slot) => slot.slot, makeMark);
      },
    };
  }

  return {
    update(stations) {
      root.hidden = stations.reduce((sum, one) => sum + one.slots.length, 0) <= FEW_SLOTS;
      if (!root.hidden) keepList(root, kept, stations, (one) => one.station, makeLine);
    },
  };
}
