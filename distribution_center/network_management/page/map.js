// The map: a card for each center, in it one for each station, in that its chassis from the front.

import { element, keepList, setAttribute, setStyle, setText } from "/shared/element.js";
import { chassisOf, nameOf, ofKind, partsOf } from "./network.js";
import { BPS, age, count, quantity, trouble } from "./words.js";

const WIDE_SLOTS = 8;
const MARKS = { director: "D", engine: "E" };
// What a slot says where nothing is streamed: in service (M4) its temperature, else what is the matter (PICMG 3.0, 3.2.4).
const HOT_SWAP = { M0: "empty", M1: "off", M2: "waits", M3: "starts", M5: "leaves", M6: "leaves", M7: "lost" };

export function makeMap(root, select) {
  const centers = new Map();
  const selectable = (attributes, ...inside) => {
    const button = element("button", { type: "button", ...attributes, click: () => select(button.dataset.component) }, ...inside);
    return button;
  };

  function makeTitle(...before) {
    const name = element("b");
    const facts = element("span", { class: "hint" });
    const root = selectable({ class: "name" }, ...before, name, facts);
    return {
      root,
      update(one, said) {
        setAttribute(root, "data-component", one.component);
        setText(name, nameOf(one));
        setText(facts, said.filter(Boolean).join(" · "));
      },
    };
  }

  function makeCenter() {
    const dot = element("span", { class: "dot" });
    const title = makeTitle(dot);
    const stations = element("div", { class: "stations" });
    const kept = new Map();
    return {
      root: element("article", { class: "center card" }, title.root, stations),
      update(center) {
        const { msdPrograms: programs, msdProgramsPublished: published } = center.scalars;
        setAttribute(dot, "class", `dot ${center.colour}`);
        title.update(center, [programs !== undefined && `${count(programs, "program")}, ${published ?? 0} published`, trouble(center)]);
        keepList(stations, kept, partsOf(center.component, "station"), (station) => station.component, makeStation);
      },
    };
  }

  function makeStation() {
    const title = makeTitle();
    const rack = element("div", { class: "rack" });
    const foot = makeFoot();
    const root = element("article", {}, title.root, rack, foot.root);
    const slots = new Map();
    return {
      root,
      update(station) {
        const facts = station.station;
        const silence = facts ? `director silent ${age(facts.silent_s)}` : "not registered";
        title.update(station, [facts?.home && "home", facts && count(facts.programs, "program"), station.health !== "answering" && silence]);
        const shown = slotsOf(station);
        setAttribute(root, "class", `station ${station.worst}${shown.length > WIDE_SLOTS ? " wide" : ""}`);
        keepList(rack, slots, shown, (slot) => `${slot.number}${slot.blade ? "" : " empty"}`, (slot) => (slot.blade ? makeSlot() : makeEmptySlot()));
        foot.update(chassisOf(station.component));
      },
    };
  }

  function slotsOf(station) {
    const blades = new Map(partsOf(station.component, "blade").map((blade) => [blade.slot, blade]));
    const views = new Map((chassisOf(station.component)?.slots ?? []).map((view) => [view.slot, view]));
    const numbers = [...new Set([...blades.keys(), ...views.keys()])].sort((a, b) => a - b);
    return numbers.map((number) => ({ number, station, blade: blades.get(number), view: views.get(number) }));
  }

  function makeSlot() {
    const [number, mark, doing] = [element("span"), element("b"), element("span")];
    const root = selectable({}, number, mark, doing);
    return {
      root,
      update({ blade, view }) {
        const unheard = blade.health === "silent" || blade.health === "unknown";
        setAttribute(root, "class", `slot ${blade.colour}${unheard ? " silent" : ""}`);
        setAttribute(root, "data-component", blade.component);
        setText(number, String(blade.slot || ""));
        setText(mark, markOf(blade, view));
        setText(doing, doingOf(blade, view));
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

  function makeFoot() {
    const dot = element("span", { class: "dot" });
    const level = element("span", { class: "level" });
    const meter = element("span", { class: "meter" }, level);
    const said = element("span");
    const root = selectable({ class: "foot" }, dot, element("span", {}, "chassis"), meter, said);
    return {
      root,
      update(chassis) {
        setAttribute(root, "disabled", !chassis);
        setAttribute(root, "data-component", chassis?.component);
        setAttribute(dot, "class", `dot ${chassis?.colour ?? ""}`);
        const { power_w: power, power_granted_w: granted, power_budget_w: budget } = chassis?.last ?? {};
        const drawn = power ?? granted ?? 0;
        const measured = chassis?.health === "answering" && Boolean(budget);
        meter.hidden = !measured;
        setStyle(level, "--share", measured ? Math.min(1, drawn / budget).toFixed(3) : 0);
        setText(said, !chassis ? "no manager known" : measured ? `${Math.round(drawn)} of ${Math.round(budget)} W`
          : chassis.health === "unknown" ? "not asked yet" : trouble(chassis));
      },
    };
  }

  return {
    update() {
      const shown = ofKind("center");
      if (shown.length) root.querySelector(".hint.waiting")?.remove();
      keepList(root, centers, shown, (center) => center.component, makeCenter);
    },
    mark(selected) {
      for (const button of root.querySelectorAll("button")) {
        setAttribute(button, "aria-pressed", String(button.dataset.component === selected));
      }
    },
  };
}

function markOf(blade, view) {
  if (blade.health === "lost") return "✕";
  if (blade.health !== "answering") return "?";
  return MARKS[view?.role] ?? (blade.slot ? "·" : "D");
}

function doingOf(blade, view) {
  const streams = blade.last.streams ?? view?.streams;
  if (streams) return `▶${streams}`;
  const degrees = blade.last.temperature_c === undefined ? "" : `${Math.round(blade.last.temperature_c)}°`;
  return HOT_SWAP[view?.hot_swap] ?? degrees;
}

function describe(blade, view) {
  const parts = [blade.label, view?.role, view?.hot_swap, view?.admin, trouble(blade)];
  if (blade.last.temperature_c !== undefined) parts.push(`${blade.last.temperature_c.toFixed(1)} °C`);
  if (blade.last.sent_bps !== undefined) parts.push(quantity(blade.last.sent_bps, BPS));
  return parts.filter(Boolean).join(", ");
}
