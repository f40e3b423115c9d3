// A station: one line with a mark for each slot, or its chassis from the front.

import { element, keepList, setAttribute, setStyle, setText } from "/shared/element.js";
import { chassisOf, isStale, partsOf } from "./network.js";
import { CONDITIONS, changingIcon } from "./severity.js";
import { BPS, age, clock, count, quantity, trouble } from "./words.js";

const MARKS = { director: "D", engine: "E" };
const WIDE_SLOTS = 8;
// What a slot says where nothing is streamed: in service (M4) its temperature, else what is the matter (PICMG 3.0, 3.2.4).
const HOT_SWAP = { M0: "empty", M1: "off", M2: "waits", M3: "starts", M5: "leaves", M6: "leaves", M7: "lost" };

export function slotsOf(station) {
  const blades = new Map(partsOf(station.component, "blade").map((blade) => [blade.slot, blade]));
  const views = new Map((chassisOf(station.component)?.slots ?? []).map((view) => [view.slot, view]));
  const numbers = [...new Set([...blades.keys(), ...views.keys()])].sort((a, b) => a - b);
  return numbers.map((number) => ({ number, station, blade: blades.get(number), view: views.get(number) }));
}

// `select(name)` when one clicks on something; `isOpen(name)` and `open(name, whether)` for the chassis from the front.
export function makeStation(name, { select, isOpen, open }) {
  const mark = changingIcon("unknown");
  const label = element("b");
  const said = element("span", { class: "said" });
  const facts = element("span", { class: "hint" });
  const title = selectable(select, { class: "name" }, mark.root, label, said, facts);
  const fold = element("button", { type: "button", class: "fold", click: () => open(name, !isOpen(name)) });
  const strip = element("div", { class: "strip", "aria-hidden": "true" });
  const rack = element("div", { class: "rack" });
  const foot = makeFoot(select);
  const root = element("article", {}, element("div", { class: "head-line" }, title, fold), strip, rack, foot.root);
  const cells = new Map();
  const slots = new Map();
  return {
    root,
    update({ station }) {
      const shown = slotsOf(station);
      const opened = isOpen(name);
      setAttribute(root, "class", `station ${station.worst}${opened ? " open" : ""}${opened && shown.length > WIDE_SLOTS ? " wide" : ""}`);
      setAttribute(root, "data-station", name);
      setAttribute(title, "data-component", name);
      mark.show(CONDITIONS[station.worst].shape);
      setText(label, station.label);
      setText(said, complaintOf(station, shown));
      setText(facts, factsOf(station, shown));
      setText(fold, opened ? "▾" : "▸");
      setAttribute(fold, "aria-expanded", String(opened));
      setAttribute(fold, "aria-label", `${opened ? "Close" : "Open"} ${station.label}`);
      strip.hidden = opened;
      rack.hidden = !opened;
      foot.root.hidden = !opened;
      if (!opened) return keepList(strip, cells, shown, (slot) => slot.number, makeCell);
      keepList(rack, slots, shown, (slot) => `${slot.number}${slot.blade ? "" : " empty"}`, (slot) => (slot.blade ? makeSlot(select) : makeEmptySlot()));
      return foot.update(chassisOf(name));
    },
  };
}

function selectable(select, attributes, ...inside) {
  const button = element("button", { type: "button", ...attributes, click: () => select(button.dataset.component) }, ...inside);
  return button;
}

// What is wrong, in words; nothing if all is well.
function complaintOf(station, shown) {
  if (station.worst === "green") return "";
  const bad = shown.filter((slot) => slot.blade && slot.blade.colour !== "green");
  const lost = bad.filter((slot) => slot.blade.health === "lost" || slot.view?.hot_swap === "M7");
  if (station.health !== "answering") return station.station ? `silent ${age(Date.now() / 1000 - station.station.silent_since)}` : "not registered";
  if (lost.length) return `${numbers(lost)} lost`;
  const word = CONDITIONS[station.worst].word;
  return bad.length ? `${numbers(bad)} ${word}` : word;
}

function numbers(slots) {
  const few = slots.slice(0, 3).map((slot) => slot.number).join(", ");
  return `slot ${few}${slots.length > 3 ? ` and ${slots.length - 3} more` : ""}`;
}

function factsOf(station, shown) {
  const blades = shown.filter((slot) => slot.blade && !isStale(slot.blade));
  const streams = blades.reduce((sum, { blade }) => sum + (blade.last?.streams ?? 0), 0);
  return [station.station?.home && "home", count(blades.length, "blade"), `▶ ${streams}`].filter(Boolean).join(" · ");
}

function makeCell() {
  const root = element("span");
  return {
    root,
    update({ blade }) {
      setAttribute(root, "class", blade ? `cell ${blade.colour}` : "cell empty");
      setText(root, blade ? CONDITIONS[blade.colour].sign : "");
    },
  };
}

function makeSlot(select) {
  const [number, mark, doing, sign] = [element("span"), element("b"), element("span"), element("i")];
  const root = selectable(select, {}, number, mark, doing, sign);
  return {
    root,
    update({ blade, view }) {
      const unheard = blade.health === "silent" || blade.health === "unknown";
      setAttribute(root, "class", `slot ${blade.colour}${unheard ? " silent" : ""}${isStale(blade) ? " stale" : ""}`);
      setAttribute(root, "data-component", blade.component);
      setText(number, String(blade.slot || ""));
      setText(mark, markOf(blade, view));
      setText(doing, doingOf(blade, view));
      setText(sign, isStale(blade) ? "" : CONDITIONS[blade.colour].sign);
      setAttribute(root, "title", describe(blade, view));
      setAttribute(root, "aria-label", describe(blade, view));
    },
  };
}

function makeEmptySlot() {
  const [number, doing] = [element("span"), element("span")];
  const root = element("span", { class: "slot empty" }, number, doing);
  return {
    root,
    update({ number: slot, station, view }) {
      setText(number, String(slot));
      setText(doing, HOT_SWAP[view?.hot_swap] ?? "");
      setAttribute(root, "title", `${station.label} slot ${slot}: ${view?.hot_swap === "M1" ? "inactive" : "no blade in service"}`);
    },
  };
}

function makeFoot(select) {
  const mark = changingIcon("unknown");
  const level = element("span", { class: "level" });
  const meter = element("span", { class: "meter" }, level);
  const said = element("span");
  const root = selectable(select, { class: "foot" }, mark.root, element("span", {}, "chassis"), meter, said);
  return {
    root,
    update(chassis) {
      setAttribute(root, "disabled", !chassis);
      setAttribute(root, "data-component", chassis?.component);
      mark.show(CONDITIONS[chassis?.colour ?? "grey"].shape);
      setAttribute(mark.root, "class", `icon ${chassis?.colour ?? "grey"}`);
      const { power_w: power, power_granted_w: granted, power_budget_w: budget } = chassis?.last ?? {};
      const drawn = power ?? granted ?? 0;
      const measured = Boolean(budget);
      meter.hidden = !measured || isStale(chassis);
      setStyle(level, "--share", measured ? Math.min(1, drawn / budget).toFixed(3) : 0);
      setText(said, footOf(chassis, measured && `${Math.round(drawn)} of ${Math.round(budget)} W`));
    },
  };
}

function footOf(chassis, power) {
  if (!chassis) return "no manager known";
  if (chassis.health === "unknown") return "not asked yet";
  if (!isStale(chassis)) return power || "";
  return [trouble(chassis), power && `${power} at ${clock(chassis.heard_at)}, stale`].filter(Boolean).join(" · ");
}

function markOf(blade, view) {
  if (blade.health === "lost") return "✕";
  if (blade.health !== "answering") return "?";
  return MARKS[view?.role] ?? (blade.slot ? "·" : "D");
}

function doingOf(blade, view) {
  if (isStale(blade)) return HOT_SWAP[view?.hot_swap] ?? blade.health;
  const streams = blade.last?.streams ?? view?.streams;
  if (streams) return `▶${streams}`;
  const degrees = blade.last?.temperature_c === undefined ? "" : `${Math.round(blade.last.temperature_c)}°`;
  return HOT_SWAP[view?.hot_swap] ?? degrees;
}

function describe(blade, view) {
  const parts = [blade.label, view?.role, view?.hot_swap, view?.admin, CONDITIONS[blade.colour].word, trouble(blade)];
  const values = [];
  if (blade.last?.temperature_c !== undefined) values.push(`${blade.last.temperature_c.toFixed(1)} °C`);
  if (blade.last?.sent_bps !== undefined) values.push(quantity(blade.last.sent_bps, BPS));
  if (values.length && isStale(blade)) values.push(`stale: read at ${clock(blade.heard_at)}`);
  return [...parts, ...values].filter(Boolean).join(", ");
}
